//! Which container instance takes a task, and why not the others.
//!
//! Pure: a snapshot and a demand in, instances and refusals out. Filters say no with a reason;
//! strategies only order; the two never mix.

mod candidate;
mod constraint;
pub mod explain;
mod filter;
mod fleet;
mod place;
mod port;
pub mod query;
mod random;
mod ranking;
mod strategy;
#[cfg(test)]
mod testing;

pub use candidate::Candidate;
pub use constraint::{Constraint, ConstraintError, MAX_CONSTRAINTS};
pub use filter::{Filter, Refusal};
pub use fleet::{Fleet, spread_over};
pub use place::{Placement, Request, place};
pub use port::Port;
pub use query::{Queries, Query, QueryError};
pub use strategy::{BinpackField, MAX_STRATEGIES, SpreadField, Strategy, StrategyError};
