//! A step as eight bytes: what a story of bytes is made of.

use driftless_gateway::model::Dialect;

use super::entry::Form;

/// The bytes of a step.
pub const WORD_BYTES: usize = 8;

/// A step as numbers: which one, about whom, when, and two parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Word {
    /// Which step; the highest bit is set where it is none.
    pub tag: u8,
    /// About whom.
    pub who: u8,
    /// When, in milliseconds.
    pub at: u16,
    /// The first parameter.
    pub a: u16,
    /// The second one.
    pub b: u16,
}

impl Word {
    /// Eight bytes as a step.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let [tag, who, at0, at1, a0, a1, b0, b1] = *bytes else { return None };
        let number = |low, high| u16::from_le_bytes([low, high]);
        Some(Self { tag, who, at: number(at0, at1), a: number(a0, a1), b: number(b0, b1) })
    }

    /// The step as eight bytes.
    pub const fn bytes(&self) -> [u8; WORD_BYTES] {
        let (at, a, b) = (self.at.to_le_bytes(), self.a.to_le_bytes(), self.b.to_le_bytes());
        [self.tag, self.who, at[0], at[1], a[0], a[1], b[0], b[1]]
    }

    /// The API that it is about.
    pub fn api(&self) -> String {
        format!("api-0{}", self.who & 3)
    }

    /// The application that it is about.
    pub fn application(&self) -> String {
        format!("app-{}", self.who >> 2 & 1)
    }
}

/// The names of keys in a story of bytes, of their users, and of plans.
const KEYS: [&str; 4] = ["Mobile", "mobile", "Batch", "web-1"];
const USERS: [&str; 2] = ["admin", "alice@example.org"];
const PLANS: [&str; 5] = ["Bronze", "Silver", "Gold", "Unlimited", "Platinum"];

/// One of several, by a number.
pub(super) fn pick<T: Copy, const N: usize>(number: u16, of: [T; N]) -> T {
    of[usize::from(number) % N]
}

fn place_in<T: PartialEq>(value: &T, of: &[T]) -> Option<u16> {
    of.iter().position(|one| one == value).and_then(|at| u16::try_from(at).ok())
}

/// Whom a key belongs to, and what it is called: API, application, name and user.
pub(super) type KeyNames = (Option<String>, Option<String>, String, String);

/// A word that is read as the fields of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct FromWord<'a> {
    /// The word.
    pub(super) word: &'a Word,
    /// The ranges of its parameters.
    pub(super) form: &'a Form,
    /// Which contract the control plane speaks.
    pub(super) dialect: Dialect,
}

fn within(number: u16, (least, most): (u64, u64)) -> u64 {
    least + u64::from(number) % (most - least + 1)
}

impl FromWord<'_> {
    /// The first parameter, put into its range.
    pub(super) fn a(&self) -> u64 {
        within(self.word.a, self.form.a)
    }

    /// The second one.
    pub(super) fn b(&self) -> u64 {
        within(self.word.b, self.form.b)
    }

    /// The first one, where zero says that there is none.
    pub(super) fn some_a(&self) -> Option<u64> {
        (self.word.a > 0).then(|| self.a())
    }

    /// The first one as a count.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.a()).unwrap_or(1)
    }

    /// The API.
    pub(super) fn api(&self) -> String {
        self.word.api()
    }

    /// The application.
    pub(super) fn application(&self) -> String {
        self.word.application()
    }

    /// The plan.
    pub(super) fn plan(&self) -> String {
        pick(self.word.b, PLANS).to_owned()
    }

    /// The key.
    pub(super) fn key(&self) -> KeyNames {
        let who = self.word.who;
        let of_application = who >> 3 & 3 == 3;
        (
            (!of_application).then(|| self.api()),
            of_application.then(|| self.application()),
            pick(u16::from(who >> 5), KEYS).to_owned(),
            pick(u16::from(who >> 7), USERS).to_owned(),
        )
    }

    /// The name and the user of the first key of an API.
    pub(super) fn first_key() -> (String, String) {
        (KEYS[0].to_owned(), USERS[0].to_owned())
    }
}

/// The names of a story in the order in which they are met.
#[derive(Default, Debug)]
pub struct Names {
    apis: Vec<String>,
    applications: Vec<String>,
    keys: Vec<(String, String)>,
}

/// The place of a name among those that were met; `None` where a word has no more.
fn place<T: PartialEq>(known: &mut Vec<T>, name: T, most: u8) -> Option<u8> {
    let at = known.iter().position(|other| *other == name).unwrap_or_else(|| {
        known.push(name);
        known.len() - 1
    });
    u8::try_from(at).ok().filter(|at| *at < most)
}

/// A word that the fields of a step are written to. What a word cannot say is `None`.
#[derive(Debug)]
pub(super) struct ToWord<'a> {
    /// The word.
    pub(super) word: Word,
    /// The ranges of its parameters.
    pub(super) form: &'a Form,
    /// Which contract the control plane speaks.
    pub(super) dialect: Dialect,
    /// The names that were met so far.
    pub(super) names: &'a mut Names,
}

/// The number that [`within`] puts there; not zero where zero says something else.
fn back(value: u64, (least, most): (u64, u64), is_zero_taken: bool) -> Option<u16> {
    if !(least..=most).contains(&value) {
        return None;
    }
    let number = match value - least {
        0 if is_zero_taken => most - least + 1,
        number => number,
    };
    u16::try_from(number).ok()
}

impl ToWord<'_> {
    /// The first parameter.
    pub(super) fn a(&mut self, value: u64) -> Option<()> {
        self.word.a = back(value, self.form.a, false)?;
        Some(())
    }

    /// The second one.
    pub(super) fn b(&mut self, value: u64) -> Option<()> {
        self.word.b = back(value, self.form.b, false)?;
        Some(())
    }

    /// The first one, where zero says that there is none.
    pub(super) fn some_a(&mut self, value: Option<u64>) -> Option<()> {
        self.word.a = match value {
            Some(value) => back(value, self.form.a, true)?,
            None => 0,
        };
        Some(())
    }

    /// The first one as a choice.
    pub(super) fn pick_a<T: PartialEq>(&mut self, value: &T, of: &[T]) -> Option<()> {
        self.word.a = place_in(value, of)?;
        Some(())
    }

    /// The second one as a choice.
    pub(super) fn pick_b<T: PartialEq>(&mut self, value: &T, of: &[T]) -> Option<()> {
        self.word.b = place_in(value, of)?;
        Some(())
    }

    /// The second one as whatever reads as this.
    pub(super) fn find_b<T: PartialEq>(&mut self, value: &T, of: fn(u16) -> T) -> Option<()> {
        self.word.b = (0..=u16::MAX).find(|number| of(*number) == *value)?;
        Some(())
    }

    /// Whom the step is about.
    pub(super) fn who<T: PartialEq>(&mut self, value: &T, of: &[T]) -> Option<()> {
        self.word.who = u8::try_from(place_in(value, of)?).ok()?;
        Some(())
    }

    /// The API.
    pub(super) fn api(&mut self, name: &str) -> Option<()> {
        self.word.who |= place(&mut self.names.apis, name.to_owned(), 4)?;
        Some(())
    }

    /// The application.
    pub(super) fn application(&mut self, name: &str) -> Option<()> {
        self.word.who |= place(&mut self.names.applications, name.to_owned(), 2)? << 2;
        Some(())
    }

    /// The plan. One that is not there from the start goes by the name of the last.
    pub(super) fn plan(&mut self, name: &str) -> Option<()> {
        let last = PLANS.len() - 1;
        let at = PLANS.iter().position(|plan| *plan == name).unwrap_or(last);
        self.word.b = u16::try_from(at).ok()?;
        Some(())
    }

    /// The plan, where zero says that there is none.
    pub(super) fn some_plan(&mut self, name: Option<&str>) -> Option<()> {
        if let Some(name) = name {
            self.plan(name)?;
            if self.word.b == 0 {
                self.word.b = u16::try_from(PLANS.len()).ok()?;
            }
        }
        Some(())
    }

    fn named_key(&mut self, name: &str, user: &str) -> Option<u8> {
        place(&mut self.names.keys, (name.to_lowercase(), user.to_owned()), 4)
    }

    /// The key.
    pub(super) fn key(&mut self, (api, application, name, user): &KeyNames) -> Option<()> {
        self.word.who |= self.named_key(name, user)? << 5;
        match (api, application) {
            (Some(api), None) => self.api(api),
            (None, Some(application)) => {
                self.word.who |= 3 << 3;
                self.application(application)
            }
            _ => None,
        }
    }

    /// A key that is the first one met.
    pub(super) fn first_key(&mut self, name: &str, user: &str) -> Option<()> {
        (self.named_key(name, user)? == 0).then_some(())
    }
}
