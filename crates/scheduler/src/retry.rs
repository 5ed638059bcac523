//! How often and how soon something that failed is tried again.

use std::time::Duration;

/// Attempts with growing pauses: binary exponential backoff.
///
/// ```
/// use chunkwise_scheduler::Retry;
/// use std::time::Duration;
///
/// let retry = Retry::times(3).delay(Duration::from_millis(10)).most_delay(Duration::from_millis(25));
/// let pauses: Vec<_> = (1..=4).map(|failed| retry.after(failed)).collect();
/// let millis = |n| Some(Duration::from_millis(n));
/// assert_eq!(pauses, [millis(10), millis(20), millis(25), None]);
/// assert_eq!(Retry::never().after(1), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    times: u32,
    delay: Duration,
    most: Duration,
}

impl Retry {
    /// Not at all.
    ///
    /// ```
    /// assert_eq!(chunkwise_scheduler::Retry::never().after(1), None);
    /// ```
    #[must_use]
    pub const fn never() -> Self {
        Self::times(0)
    }

    /// So many times after the first attempt, with pauses of 100 ms, 200 ms, 400 ms and so on up to 10 s.
    ///
    /// ```
    /// use chunkwise_scheduler::Retry;
    /// use std::time::Duration;
    ///
    /// let retry = Retry::times(2);
    /// assert_eq!(retry.after(1), Some(Duration::from_millis(100)));
    /// assert_eq!(retry.after(2), Some(Duration::from_millis(200)));
    /// assert_eq!(retry.after(3), None);
    /// ```
    #[must_use]
    pub const fn times(times: u32) -> Self {
        Self { times, delay: Duration::from_millis(100), most: Duration::from_secs(10) }
    }

    /// The first pause; each one after it is twice as long.
    ///
    /// ```
    /// use chunkwise_scheduler::Retry;
    /// use std::time::Duration;
    ///
    /// let retry = Retry::times(2).delay(Duration::from_secs(1));
    /// assert_eq!(retry.after(2), Some(Duration::from_secs(2)));
    /// ```
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The longest pause.
    ///
    /// ```
    /// use chunkwise_scheduler::Retry;
    /// use std::time::Duration;
    ///
    /// let retry = Retry::times(100).most_delay(Duration::from_secs(60));
    /// assert_eq!(retry.after(99), Some(Duration::from_secs(60)));
    /// ```
    #[must_use]
    pub const fn most_delay(mut self, most: Duration) -> Self {
        self.most = most;
        self
    }

    /// The pause after so many failed attempts, the first included; `None` when that was the last.
    ///
    /// ```
    /// use chunkwise_scheduler::Retry;
    /// use std::time::Duration;
    ///
    /// let retry = Retry::times(1).delay(Duration::from_millis(5));
    /// assert_eq!((retry.after(1), retry.after(2)), (Some(Duration::from_millis(5)), None));
    /// ```
    #[must_use]
    pub fn after(&self, failed: u32) -> Option<Duration> {
        let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        (failed <= self.times).then(|| self.delay.saturating_mul(doubled).min(self.most))
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::never()
    }
}
