//! What the passes did, rule by rule.

use std::fmt;

use chunkwise_optimize::{Note, PassReport};

use super::tree::place;

/// Lines of the user's program that are named for each rule.
const MOST_PLACES: usize = 3;

/// Writes a report: the pass, then each rule with where it did what, then what was left and why.
pub(super) fn write_report(f: &mut fmt::Formatter<'_>, report: &PassReport) -> fmt::Result {
    writeln!(f, "  {report}")?;
    let notes = &report.notes;
    write_notes(f, notes.done(), notes.rewrites())?;
    write_notes(f, notes.left(), notes.num_left())
}

/// Writes notes by rule and reason, in the order of their first ones; `count` are all, of which some were kept.
fn write_notes(f: &mut fmt::Formatter<'_>, notes: &[Note], count: usize) -> fmt::Result {
    let key = |note: &Note| (note.rule, note.why_not);
    let mut groups: Vec<Vec<&Note>> = Vec::new();
    for note in notes {
        match groups.iter_mut().find(|group| key(group[0]) == key(note)) {
            Some(group) => group.push(note),
            None => groups.push(vec![note]),
        }
    }
    for group in groups {
        let Note { rule, why_not, .. } = group[0];
        let places: Vec<String> = group
            .iter()
            .take(MOST_PLACES)
            .map(|note| format!("{} at {}", note.op, place(note.origin)))
            .collect();
        let left = if why_not.is_some() { "not " } else { "" };
        write!(f, "    {left}{rule}: {}", places.join(", "))?;
        if group.len() > MOST_PLACES {
            write!(f, " and {} more", group.len() - MOST_PLACES)?;
        }
        writeln!(f, "{}", why_not.map_or_else(String::new, |why| format!(" ({why})")))?;
    }
    match count - notes.len() {
        0 => Ok(()),
        more => writeln!(f, "    .. and {more} more"),
    }
}
