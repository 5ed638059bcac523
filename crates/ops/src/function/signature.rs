//! Signatures of functions of core axes, as NumPy's generalised functions have them: `"(i,j),(j)->(i)"`.
//!
//! A core axis has a name or a fixed length. Equal names have equal lengths; a name of the result must be one of an input.

use chunkwise_expr::ExprError;

/// A signature that was read.
///
/// ```
/// use chunkwise_ops::function::Signature;
/// assert_eq!(Signature::parse("(i,j),(j)->(i)").unwrap().to_string(), "(i,j),(j)->(i)");
/// assert!(Signature::parse("(i,j").unwrap_err().to_string().contains("\"->\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    inputs: Vec<Vec<CoreAxis>>,
    output: Vec<CoreAxis>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum CoreAxis {
    Named(String),
    Fixed(usize),
}

impl Signature {
    /// Reads a signature with one result.
    ///
    /// # Errors
    /// When it is none, saying where.
    pub fn parse(text: &str) -> Result<Signature, ExprError> {
        let bad = |what: String| ExprError::Message(format!("signature {text:?}: {what}"));
        let Some((inputs, output)) = text.split_once("->") else {
            return Err(bad("\"->\" is missing between the inputs and the result".into()));
        };
        let inputs = groups(inputs).map_err(&bad)?;
        let mut outputs = groups(output).map_err(&bad)?;
        if outputs.len() != 1 {
            return Err(bad(format!("{} results, one is possible", outputs.len())));
        }
        let output = outputs.swap_remove(0);
        let known = |axis: &CoreAxis| match axis {
            CoreAxis::Named(_) => inputs.iter().any(|input| input.contains(axis)),
            CoreAxis::Fixed(_) => true,
        };
        match output.iter().find(|&axis| !known(axis)) {
            Some(axis) => Err(bad(format!("axis {axis} of the result is that of no input; give its length"))),
            None => Ok(Signature { inputs, output }),
        }
    }

    /// Number of arrays it takes.
    pub(super) fn arity(&self) -> usize {
        self.inputs.len()
    }

    /// Number of core axes of an input.
    pub(super) fn core(&self, input: usize) -> usize {
        self.inputs[input].len()
    }

    /// Lengths of the core axes of the result, for inputs of these shapes.
    pub(super) fn output(&self, shapes: &[&[usize]]) -> Result<Vec<usize>, ExprError> {
        let bad = |what: String| ExprError::Message(format!("signature {self}: {what}"));
        let mut lengths: Vec<(&CoreAxis, usize, usize)> = Vec::new();
        for (input, (core, shape)) in self.inputs.iter().zip(shapes).enumerate() {
            let Some(lead) = shape.len().checked_sub(core.len()) else {
                let axes = core.len();
                return Err(bad(format!("argument {input} of shape {shape:?} has no {axes} core axes")));
            };
            for (axis, &len) in core.iter().zip(&shape[lead..]) {
                let before = match axis {
                    CoreAxis::Fixed(wanted) => Some((*wanted, None)),
                    named => {
                        let same = lengths.iter().find(|(other, ..)| *other == named);
                        same.map(|&(_, len, input)| (len, Some(input)))
                    }
                };
                match before {
                    Some((wanted, from)) if wanted != len => {
                        let from = from.map_or_else(|| "".into(), |from| format!(" in argument {from}"));
                        return Err(bad(format!(
                            "axis {axis} has length {wanted}{from} and {len} in argument {input}"
                        )));
                    }
                    Some(_) => {}
                    None => lengths.push((axis, len, input)),
                }
            }
        }
        let length = |axis: &CoreAxis| match axis {
            CoreAxis::Fixed(len) => *len,
            named => lengths.iter().find(|(other, ..)| *other == named).map_or(0, |&(_, len, _)| len),
        };
        Ok(self.output.iter().map(length).collect())
    }
}

/// `"(i,j),(j)"` as lists of axes.
fn groups(text: &str) -> Result<Vec<Vec<CoreAxis>>, String> {
    let mut rest = text.trim();
    let mut groups = Vec::new();
    loop {
        let inside = rest.strip_prefix('(').ok_or_else(|| format!("\"(\" is missing before {rest:?}"))?;
        let (axes, after) = inside.split_once(')').ok_or_else(|| format!("{rest:?} is not closed"))?;
        groups.push(core_axes(axes)?);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(groups);
        }
        let next = rest.strip_prefix(',').ok_or_else(|| format!("\",\" is missing before {rest:?}"))?;
        rest = next.trim_start();
    }
}

fn core_axes(text: &str) -> Result<Vec<CoreAxis>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|axis| core_axis(axis.trim())).collect()
}

fn core_axis(text: &str) -> Result<CoreAxis, String> {
    let named = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match text.parse() {
        Ok(len) => Ok(CoreAxis::Fixed(len)),
        Err(_) if named => Ok(CoreAxis::Named(text.to_owned())),
        Err(_) => Err(format!("{text:?} is no axis")),
    }
}

impl std::fmt::Display for CoreAxis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CoreAxis::Named(name) => f.write_str(name),
            CoreAxis::Fixed(len) => len.fmt(f),
        }
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = |axes: &[CoreAxis]| {
            let axes: Vec<String> = axes.iter().map(CoreAxis::to_string).collect();
            format!("({})", axes.join(","))
        };
        let inputs: Vec<String> = self.inputs.iter().map(|axes| group(axes)).collect();
        write!(f, "{}->{}", inputs.join(","), group(&self.output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_result_follow_from_names() {
        let signature = Signature::parse(" (i, j) ,(j,k)-> (i,k,2)").unwrap();
        assert_eq!(signature.output(&[&[9, 3, 4], &[4, 5]]).unwrap(), [3, 5, 2]);
        assert_eq!(Signature::parse("(n)->()").unwrap().output(&[&[7]]).unwrap(), [0usize; 0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fails = |text| Signature::parse(text).unwrap_err().to_string();
        assert_eq!(fails("(i)"), "signature \"(i)\": \"->\" is missing between the inputs and the result");
        assert_eq!(fails("i->()"), "signature \"i->()\": \"(\" is missing before \"i\"");
        assert_eq!(fails("(i->()"), "signature \"(i->()\": \"(i\" is not closed");
        assert_eq!(fails("(i)(j)->()"), "signature \"(i)(j)->()\": \",\" is missing before \"(j)\"");
        assert_eq!(fails("(i+1)->()"), "signature \"(i+1)->()\": \"i+1\" is no axis");
        assert!(fails("(i)->(k)").contains("axis k of the result is that of no input"));
        assert!(fails("(i)->(i),(i)").contains("2 results"));
    }

    #[test]
    fn lengths_that_differ_are_named_with_their_arguments() {
        let signature = Signature::parse("(i,j),(j)->(i)").unwrap();
        let fails = |shapes: &[&[usize]]| signature.output(shapes).unwrap_err().to_string();
        assert_eq!(
            fails(&[&[2, 3], &[4]]),
            "signature (i,j),(j)->(i): axis j has length 3 in argument 0 and 4 in argument 1"
        );
        assert!(fails(&[&[2], &[4]]).contains("argument 0 of shape [2] has no 2 core axes"));
        let fixed = Signature::parse("(3)->()").unwrap().output(&[&[4]]).unwrap_err().to_string();
        assert!(fixed.ends_with("axis 3 has length 3 and 4 in argument 0"));
    }
}
