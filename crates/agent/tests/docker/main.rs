//! The agent against a real Docker Engine and a control plane made for the occasion.
//!
//! Needs a Docker Engine on the usual socket (or `DOCKER_HOST`) and no registry: the image is made
//! here. Without an Engine these tests fail; they never skip.

mod adoption;
mod failures;
mod health;
mod lifecycle;
mod limits;
mod mapping;
mod ordering;
mod restarts;
mod support;
mod trouble;
mod volumes;
