//! Why instances cannot take a task, in full: every cause of each, with its figures.
//!
//! [`Refusal`](crate::Refusal) is the first cause by name, for where speed counts. What is here is
//! worked out only for those who ask, and agrees with it: the first cause is the refusal.

mod cause;
mod detail;

pub use cause::{Cause, Port};
pub use detail::grouped;
