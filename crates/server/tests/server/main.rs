//! The control plane behind its real doors: HTTP with signed requests, and agents' sockets.

mod account_settings;
mod acs;
mod attributes;
mod authentication;
mod bad_input;
mod bounds;
mod client_token;
mod container_instances;
mod failing_journal;
mod golden;
mod harness;
mod launch_type;
mod list_tasks;
mod mutation;
mod own;
mod placement;
mod requires_attributes;
mod resources;
mod secrets;
mod shutdown;
mod tags;
mod task_definitions;
mod task_life;
mod task_shape;
mod task_size;
