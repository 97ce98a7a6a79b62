//! The agent against a real Docker Engine and a control plane made for the occasion.
//!
//! Needs a Docker Engine on the usual socket (or `DOCKER_HOST`), and the program `docker-registry`
//! (or what `DOCKER_REGISTRY` names); the image is made here. Without these the tests fail; they
//! never skip.

mod adoption;
mod burst;
mod failures;
mod health;
mod lifecycle;
mod limits;
mod mapping;
mod ordering;
mod registry;
mod restarts;
mod support;
mod telemetry;
mod trouble;
mod volumes;
