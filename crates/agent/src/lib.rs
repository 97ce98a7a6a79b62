//! Makes Docker on one container instance match its assignment.

pub mod engine;
