//! The API's door: a request is authenticated, parsed, given to `control`, and its outcome
//! rendered. One file per action in `actions`; the listing is what is supported.

mod access;
mod actions;
mod auth;
mod contract;
mod dispatch;
mod exception;
mod input;
mod page;
mod render;
mod skews;

pub(crate) use auth::Gate;
pub use contract::{Contract, contract, is_without_effect};
pub use dispatch::supported;
pub(crate) use dispatch::{Call, answer, encode};
pub(crate) use exception::Exception;
pub(crate) use input::{read_whole, run_task};
pub(crate) use page::Pages;
pub(crate) use render::timestamp;
