//! Why instances cannot take a task, in full: every cause of each, with its figures and what would
//! remove it, and the sum over a cluster.
//!
//! [`Refusal`](crate::Refusal) is the first cause by name, for where speed counts. What is here is
//! worked out only for those who ask, and agrees with it: the first cause is the refusal.

mod cause;
mod change;
mod detail;
mod lost;
mod summary;

pub use cause::Cause;
pub use change::{Amount, Change};
pub use detail::grouped;
pub use summary::{MAX_NEAREST, Summary, Tally};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
