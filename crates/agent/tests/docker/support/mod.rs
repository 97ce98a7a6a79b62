//! What the tests share: an image, a control plane, a Docker Engine that can go away.

mod control_plane;
mod docker;
mod flaky_proxy;
mod guest;
mod proxy;
mod registry;
mod stalling_registry;
mod telemetry;
mod world;

pub(crate) use control_plane::ControlPlane;
pub(crate) use docker::{ImageName, remove_containers_of};
pub(crate) use flaky_proxy::FlakyProxy;
pub(crate) use guest::IMAGE;
pub(crate) use proxy::Proxy;
pub(crate) use registry::{PASSWORD, Registry, USERNAME};
pub(crate) use stalling_registry::StallingRegistry;
pub(crate) use telemetry::Telemetry;
pub(crate) use world::World;
