//! What has to be under way for a fault to take effect, fault by fault.

use driftless_gateway::model::Dialect;

use crate::story::step::{Answer, Endpoint, Verb, Wrong};

/// What is under way when a fault takes effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Provocation {
    /// A new revision of an API is deployed.
    Deploy,
    /// An API goes from one revision to the next.
    Redeploy,
    /// An API is undeployed.
    Undeploy,
    /// An API is undeployed, and the list is read after that.
    UndeployAndList,
    /// A key is made.
    Key,
    /// A session begins: everything is asked for.
    Session,
    /// The process starts.
    Start,
}

/// What a fault meets when it takes effect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    /// Nothing of the gateway's: it is about what APIM does by itself.
    AnyTime,
    /// A session.
    Session,
    /// A request.
    Request(&'static str),
}

/// What a fault meets when it takes effect.
pub(super) fn meets(fault: &Verb) -> Meets {
    match fault {
        Verb::Answer(answer) => Meets::Request(match answer.to {
            Endpoint::Connect => "open_session",
            Endpoint::Any => "list",
            to => to.name(),
        }),
        Verb::RefuseTokens(_) | Verb::EventBeforeAck(_) => Meets::Request("open_session"),
        // A definition has to be read just then.
        Verb::RedeployWindow(_) => Meets::Request("fetch"),
        Verb::LoseEvents(_)
        | Verb::LoseRow(_)
        | Verb::KeepRows(_)
        | Verb::WrongUndeployIds(_)
        | Verb::FreezeStamps(_)
        | Verb::DelayEffects(_)
        | Verb::BreakKeys(_)
        | Verb::OddKeyEvents(_)
        | Verb::DelayEvents(_)
        | Verb::FailReads(_)
        | Verb::Crash(_)
        | Verb::WipeStore(_)
        | Verb::RestoreBackup(_)
        | Verb::StepClock(_)
        | Verb::RotateToken(_) => Meets::AnyTime,
        _ => Meets::Session,
    }
}

/// What has to be under way for a fault to take effect.
pub(super) fn provocations(fault: &Verb, dialect: Dialect) -> Vec<Provocation> {
    match fault {
        Verb::Answer(answer) => answer_provocations(answer, dialect),
        Verb::KeepRows(_) => vec![Provocation::UndeployAndList],
        Verb::WrongUndeployIds(_) => vec![Provocation::Undeploy],
        Verb::RedeployWindow(_) => vec![Provocation::Redeploy],
        Verb::LoseRow(_) => vec![Provocation::Session],
        Verb::BreakKeys(_)
        | Verb::OddKeyEvents(_)
        | Verb::DelayEvents(_)
        | Verb::DiskFull(_)
        | Verb::FailWrites(_) => vec![Provocation::Key],
        Verb::FailReads(_) => vec![Provocation::Start],
        Verb::Crash(_)
        | Verb::WipeStore(_)
        | Verb::RestartManager(_)
        | Verb::RefuseTokens(_)
        | Verb::EventBeforeAck(_)
        | Verb::RotateToken(_)
        | Verb::RestoreBackup(_)
        | Verb::StepClock(_)
        | Verb::Reset(_)
        | Verb::CloseSession(_)
        | Verb::SwitchNode(_) => Vec::new(),
        _ => vec![Provocation::Deploy],
    }
}

/// What is asked for is under way; a batch is asked for when several definitions are wanted.
fn answer_provocations(answer: &Answer, dialect: Dialect) -> Vec<Provocation> {
    match answer.to {
        Endpoint::CheckExists => Vec::new(),
        Endpoint::Any if dialect == Dialect::PlatformApi11 => {
            vec![Provocation::Deploy, Provocation::UndeployAndList]
        }
        Endpoint::Any => vec![Provocation::Deploy],
        _ => Vec::new(),
    }
}

/// Whether a request of that dialect, met as scenes bring it about, can be answered wrong in that
/// way with another result than the right answer.
pub(super) fn can_meet(to: Endpoint, with: Wrong, dialect: Dialect) -> bool {
    let answer = Answer { to, with, count: Some(1), for_ms: None };
    let has_key_list = dialect != Dialect::Apim470;
    answer.applies()
        && match with {
            Wrong::StaleMs(_) | Wrong::MixedMs(_) => match to {
                Endpoint::List | Endpoint::FetchBatch => true,
                Endpoint::Fetch => matches!(with, Wrong::StaleMs(_)),
                Endpoint::ReadKeys => has_key_list,
                _ => false,
            },
            Wrong::Empty | Wrong::WithoutTail | Wrong::WithoutMiddle => match to {
                Endpoint::ReadKeys => has_key_list,
                Endpoint::Discover | Endpoint::CheckExists => false,
                _ => true,
            },
            Wrong::FirstOnly => match to {
                Endpoint::ReadKeys => has_key_list,
                Endpoint::List | Endpoint::FetchBatch | Endpoint::ReadPlans | Endpoint::Any => true,
                _ => false,
            },
            Wrong::DotDotEntry | Wrong::RepeatedEntry | Wrong::Bomb => {
                matches!(to, Endpoint::Fetch | Endpoint::FetchBatch)
            }
            _ if to == Endpoint::Discover && dialect == Dialect::PlatformApi11 => false,
            Wrong::OtherTypes | Wrong::OtherShape if to == Endpoint::ReadKeys => has_key_list,
            Wrong::OtherTypes => !matches!(to, Endpoint::Fetch | Endpoint::FetchBatch),
            _ => true,
        }
}
