//! Names with counts as a table: the most frequent first, down each column.

/// What stands between two columns.
const GAP: usize = 3;

/// A name and how often it came.
pub(super) type Row<'a> = (&'a str, u64);

/// The most frequent first, those of one count by their names.
pub(super) fn by_count<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = rows.into_iter().collect();
    rows.sort_by(|(name, count), (other, more)| more.cmp(count).then(name.cmp(other)));
    rows
}

/// The lines of a table that is at most so wide, as long as one column fits. Names and counts stand
/// below each other.
pub(super) fn lines(rows: &[Row<'_>], width: usize) -> Vec<String> {
    let name_width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let count_width = rows.iter().map(|(_, count)| count.to_string().len()).max().unwrap_or(0);
    let cell_width = name_width + 1 + count_width;
    let columns = ((width + GAP) / (cell_width + GAP)).max(1);
    let height = rows.len().div_ceil(columns);
    let cell = |(name, count): &Row<'_>| format!("{name:<name_width$} {count:>count_width$}");
    let line = |top: usize| {
        let cells = rows.iter().skip(top).step_by(height.max(1)).map(cell);
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP))
    };
    (0..height).map(line).collect()
}

/// Words on lines that are at most so wide, as long as a word fits.
pub(super) fn wrap(
    words: impl IntoIterator<Item = String>,
    between: &str,
    width: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            // What stands between two words ends the line before the second, too.
            Some(line) if line.len() + between.len() + word.len() < width => {
                line.push_str(between);
                line.push_str(&word);
            }
            Some(line) => {
                line.push_str(between.trim_end());
                lines.push(word);
            }
            None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_to_its_width_and_reads_downwards() {
        let rows = by_count([("crash", 7), ("answer.status", 120), ("hold", 7), ("reset", 33)]);
        assert_eq!(rows.first(), Some(&("answer.status", 120)));
        let narrow =
            ["answer.status 120", "reset          33", "crash           7", "hold            7"];
        assert_eq!(lines(&rows, 30), narrow);
        assert_eq!(lines(&rows, 1), narrow, "one column is always there");
        let wide =
            ["answer.status 120   crash           7", "reset          33   hold            7"];
        assert_eq!(lines(&rows, 37), wide);
        assert_eq!(lines(&[], 37), Vec::<String>::new());
    }

    #[test]
    fn words_are_wrapped_before_they_stick_out() {
        let words = || ["one", "two", "three"].map(str::to_owned);
        assert_eq!(wrap(words(), ", ", 10), ["one, two,", "three"]);
        assert_eq!(wrap(words(), ", ", 40), ["one, two, three"]);
        assert_eq!(wrap(words(), " ", 1), ["one", "two", "three"]);
    }
}
