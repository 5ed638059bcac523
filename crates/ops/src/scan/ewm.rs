//! How fast weights decay.

/// How fast the weights of an exponentially weighted mean decay.
///
/// ```
/// use chunkwise_ops::scan::Ewm;
/// assert_eq!(Ewm::span(3.0), Ewm::alpha(0.5));
/// assert_eq!(Ewm::center_of_mass(1.0), Ewm::alpha(0.5));
/// assert_eq!(Ewm::half_life(1.0), Ewm::alpha(0.5));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ewm {
    alpha: f64,
    adjust: bool,
}

impl Ewm {
    /// Each weight is `1 - alpha` times that of the next element; `0 < alpha <= 1`.
    pub fn alpha(alpha: f64) -> Ewm {
        Ewm { alpha, adjust: true }
    }

    /// `alpha = 2 / (span + 1)`, with a span of at least 1: the weights of so many elements have the same centre as the
    /// mean of as many.
    pub fn span(span: f64) -> Ewm {
        Ewm::alpha(2.0 / (span + 1.0))
    }

    /// The alpha with which a weight halves in so many elements, more than 0.
    pub fn half_life(elements: f64) -> Ewm {
        Ewm::alpha(1.0 - 0.5_f64.powf(1.0 / elements))
    }

    /// `alpha = 1 / (center + 1)`, with a centre of at least 0.
    pub fn center_of_mass(center: f64) -> Ewm {
        Ewm::alpha(1.0 / (center + 1.0))
    }

    /// The recursive form: `y[0] = x[0]` and `y[t] = (1 - alpha) y[t-1] + alpha x[t]`. So the first number has a
    /// weight as if it had been there for ever.
    #[must_use]
    pub fn recursive(self) -> Ewm {
        Ewm { adjust: false, ..self }
    }

    /// The weight of the newest element beside all those before it: alpha.
    pub fn newest(self) -> f64 {
        self.alpha
    }

    /// Whether it is the recursive form.
    pub fn is_recursive(self) -> bool {
        !self.adjust
    }
}
