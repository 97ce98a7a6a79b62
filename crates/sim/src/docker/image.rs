//! What is in the images: a container's whole behaviour, told by the image's name.

/// What a container does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Runs until it is stopped.
    Serves,
    /// Likewise, but does not hear SIGTERM.
    ServesStubbornly,
    /// Runs for a while.
    Works(i32),
    /// Ends almost at once.
    Crashes,
    /// Is killed for its memory.
    RunsOutOfMemory,
    /// Cannot be pulled, created, or started.
    Unpullable,
    Uncreatable,
    Unstartable,
}

/// The images that there are, the usual ones more than once.
pub(crate) const IMAGES: &[&str] = &[
    "serve",
    "serve",
    "serve",
    "stubborn",
    "work-0",
    "work-0",
    "work-7",
    "crash",
    "oom",
    "unpullable",
    "uncreatable",
    "unstartable",
];

/// What a container of this image does.
pub(super) fn behaviour(image: &str) -> Behaviour {
    match image {
        "stubborn" => Behaviour::ServesStubbornly,
        "work-0" => Behaviour::Works(0),
        "work-7" => Behaviour::Works(7),
        "crash" => Behaviour::Crashes,
        "oom" => Behaviour::RunsOutOfMemory,
        "unpullable" => Behaviour::Unpullable,
        "uncreatable" => Behaviour::Uncreatable,
        "unstartable" => Behaviour::Unstartable,
        _ => Behaviour::Serves,
    }
}
