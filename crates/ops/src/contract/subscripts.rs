//! Subscripts of `einsum`: from text to labels.
//!
//! A label is a number. Letters have the numbers 0 to 51, and the axes that an ellipsis stands for those from 52,
//! counted from the last one, because these broadcast as arrays do: aligned at the end.

use chunkwise_expr::ExprError;

/// What an axis is called.
pub(super) type Label = u8;

/// The last axis that an ellipsis stands for.
const ELLIPSIS: usize = 52;

/// Labels are members of sets of 128.
const MOST_LABELS: usize = 128;

/// The labels of each operand, and of the result.
#[derive(Debug, PartialEq)]
pub(super) struct Subscripts {
    pub(super) operands: Vec<Vec<Label>>,
    pub(super) result: Vec<Label>,
}

/// Reads subscripts for operands of these ranks.
///
/// Without `->` the result has the axes of the ellipsis, then the labels that appear once, in alphabetical order.
pub(super) fn parse(text: &str, ranks: &[usize]) -> Result<Subscripts, ExprError> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (inputs, output) = match plain.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (plain.as_str(), None),
    };
    let terms: Vec<&str> = inputs.split(',').collect();
    if terms.len() != ranks.len() {
        return Err(wrong(text, &format!("name {} operands, but there are {}", terms.len(), ranks.len())));
    }
    let parsed: Result<Vec<_>, _> =
        terms.iter().zip(ranks).map(|(term, &rank)| operand(text, term, rank)).collect();
    let (operands, widths): (Vec<Vec<Label>>, Vec<usize>) = parsed?.into_iter().unzip();
    let width = widths.into_iter().max().unwrap_or(0);
    let result = match output {
        Some(output) => explicit(text, output, width, &operands)?,
        None => implicit(width, &operands),
    };
    Ok(Subscripts { operands, result })
}

fn wrong(text: &str, what: &str) -> ExprError {
    ExprError::Message(format!("subscripts {text:?} {what}"))
}

/// The labels of the last `width` axes of an ellipsis.
fn ellipsis(width: usize) -> impl Iterator<Item = Label> {
    (0..width).rev().map(|from_end| (ELLIPSIS + from_end) as Label)
}

/// The labels of an operand, and how many axes its ellipsis stands for.
fn operand(text: &str, term: &str, rank: usize) -> Result<(Vec<Label>, usize), ExprError> {
    let (front, back) = halves(text, term)?;
    let named = front.len() + back.as_ref().map_or(0, Vec::len);
    let Some(back) = back else {
        let what = format!("name {named} axes in {term:?}, but the operand has {rank}");
        return if named == rank { Ok((front, 0)) } else { Err(wrong(text, &what)) };
    };
    let width = rank.checked_sub(named);
    let what = format!("name {named} axes and an ellipsis in {term:?}, but the operand has {rank} axes");
    let width = width.filter(|width| ELLIPSIS + width <= MOST_LABELS).ok_or_else(|| wrong(text, &what))?;
    Ok((front.into_iter().chain(ellipsis(width)).chain(back).collect(), width))
}

/// The labels before and after the ellipsis; `None` when there is none.
fn halves(text: &str, term: &str) -> Result<(Vec<Label>, Option<Vec<Label>>), ExprError> {
    match term.split_once("...") {
        Some((front, back)) => Ok((letters(text, front)?, Some(letters(text, back)?))),
        None => Ok((letters(text, term)?, None)),
    }
}

fn letters(text: &str, term: &str) -> Result<Vec<Label>, ExprError> {
    let label = |c: char| match c {
        'A'..='Z' => Ok(c as Label - b'A'),
        'a'..='z' => Ok(c as Label - b'a' + 26),
        other => {
            Err(wrong(text, &format!("hold {other:?}; axes are named by letters, and \"...\" by three dots")))
        }
    };
    term.chars().map(label).collect()
}

fn explicit(
    text: &str,
    output: &str,
    width: usize,
    operands: &[Vec<Label>],
) -> Result<Vec<Label>, ExprError> {
    let (mut result, back) = halves(text, output)?;
    if back.is_none() && width > 0 {
        return Err(wrong(text, "have an ellipsis in an operand, but none in the result"));
    }
    let named: Vec<Label> = result.iter().chain(back.iter().flatten()).copied().collect();
    if let Some(label) = named.iter().find(|label| !operands.iter().flatten().any(|other| other == *label)) {
        return Err(wrong(text, &format!("have {:?} in the result, but in no operand", letter(*label))));
    }
    if let Some(label) = named.iter().find(|label| named.iter().filter(|other| other == label).count() > 1) {
        return Err(wrong(text, &format!("have {:?} twice in the result", letter(*label))));
    }
    if let Some(back) = back {
        result.extend(ellipsis(width).chain(back));
    }
    Ok(result)
}

fn implicit(width: usize, operands: &[Vec<Label>]) -> Vec<Label> {
    let count = |label: &Label| operands.iter().flatten().filter(|other| *other == label).count();
    let once = (0..ELLIPSIS as Label).filter(|label| count(label) == 1);
    ellipsis(width).chain(once).collect()
}

/// The letter of a label.
pub(super) fn letter(label: Label) -> char {
    match label {
        0..26 => char::from(b'A' + label),
        26..52 => char::from(b'a' + label - 26),
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, ranks: &[usize]) -> Result<String, String> {
        let name = |labels: &[Label]| {
            let name = |&label: &Label| match label as usize {
                at @ ELLIPSIS.. => format!("<{}>", at - ELLIPSIS),
                _ => letter(label).to_string(),
            };
            labels.iter().map(name).collect::<String>()
        };
        let subscripts = parse(text, ranks).map_err(|err| err.to_string())?;
        let operands: Vec<String> = subscripts.operands.iter().map(|labels| name(labels)).collect();
        Ok(format!("{}->{}", operands.join(","), name(&subscripts.result)))
    }

    #[test]
    fn implicit_result_is_alphabetical_with_capitals_first() {
        assert_eq!(shown("ij, jk", &[2, 2]).unwrap(), "ij,jk->ik");
        assert_eq!(shown("ba", &[2]).unwrap(), "ba->ab");
        assert_eq!(shown("aB", &[2]).unwrap(), "aB->Ba");
        assert_eq!(shown("ii", &[2]).unwrap(), "ii->");
    }

    #[test]
    fn ellipsis_is_aligned_at_the_end() {
        assert_eq!(shown("...ij->...ji", &[4]).unwrap(), "<1><0>ij-><1><0>ji");
        assert_eq!(shown("i...,...", &[3, 1]).unwrap(), "i<1><0>,<0>-><1><0>i");
        assert_eq!(shown("...i,i...->...", &[1, 1]).unwrap(), "i,i->");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for (text, ranks) in [
            ("ij", &[3][..]),
            ("ij", &[2, 2]),
            ("i1", &[2]),
            ("i->ij", &[1]),
            ("i->ii", &[1]),
            ("...i->i", &[2]),
            ("..i", &[1]),
            ("...i...", &[1]),
            ("i->j->k", &[1]),
            ("ij...", &[1]),
            ("...", &[100]),
        ] {
            assert!(parse(text, ranks).is_err(), "{text}");
        }
    }
}
