//! What tasks use: asked of Docker in rounds, kept for those who look, and told to the control
//! plane.

mod publisher;
mod reading;
mod round;
mod sampler;
mod usage;

pub(crate) use publisher::Publisher;
pub(crate) use reading::Reading;
pub(crate) use sampler::Sampler;
pub(crate) use usage::Usage;
