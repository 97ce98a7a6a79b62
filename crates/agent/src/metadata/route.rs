//! Paths, and what is asked by them.

/// What is asked, and by whom.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// The path itself says which container asks.
    ById { version: Version, id: &'a str, aspect: Aspect },
    /// The asker's address does. It may ask for one container of its task by Docker id.
    ByAddress { aspect: Aspect, docker_id: Option<&'a str> },
}

/// Which answers are known to the asker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Two,
    Three,
    Four,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    Container,
    Task,
    TaskWithTags,
    Stats,
    TaskStats,
}

/// `None` of a path that leads nowhere. A slash at the end does not matter.
pub(super) fn parse(path: &str) -> Option<Route<'_>> {
    let path = path.strip_prefix('/')?;
    let words: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    match *words {
        ["v2", ref rest @ ..] => {
            let (aspect, docker_id) = match *rest {
                ["metadata"] => (Aspect::Task, None),
                ["metadata", id] => (Aspect::Task, Some(id)),
                ["metadataWithTags"] => (Aspect::TaskWithTags, None),
                ["stats"] => (Aspect::TaskStats, None),
                ["stats", id] => (Aspect::TaskStats, Some(id)),
                _ => return None,
            };
            Some(Route::ByAddress { aspect, docker_id })
        }
        [version, id, ref rest @ ..] => {
            let version = match version {
                "v3" => Version::Three,
                "v4" => Version::Four,
                _ => return None,
            };
            let aspect = match *rest {
                [] => Aspect::Container,
                ["task"] => Aspect::Task,
                ["taskWithTags"] => Aspect::TaskWithTags,
                ["stats"] => Aspect::Stats,
                ["task", "stats"] => Aspect::TaskStats,
                _ => return None,
            };
            Some(Route::ById { version, id, aspect })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_three_and_four_name_their_asker() {
        let by_id = |version, aspect| Some(Route::ById { version, id: "u", aspect });
        assert_eq!(parse("/v3/u"), by_id(Version::Three, Aspect::Container));
        assert_eq!(parse("/v4/u"), by_id(Version::Four, Aspect::Container));
        assert_eq!(parse("/v4/u/"), by_id(Version::Four, Aspect::Container));
        assert_eq!(parse("/v4/u/task"), by_id(Version::Four, Aspect::Task));
        assert_eq!(parse("/v4/u/taskWithTags"), by_id(Version::Four, Aspect::TaskWithTags));
        assert_eq!(parse("/v4/u/stats"), by_id(Version::Four, Aspect::Stats));
        assert_eq!(parse("/v4/u/task/stats"), by_id(Version::Four, Aspect::TaskStats));
    }

    #[test]
    fn those_of_two_do_not() {
        let by_address = |aspect, docker_id| Some(Route::ByAddress { aspect, docker_id });
        assert_eq!(parse("/v2/metadata"), by_address(Aspect::Task, None));
        assert_eq!(parse("/v2/metadata/"), by_address(Aspect::Task, None));
        assert_eq!(parse("/v2/metadata/d"), by_address(Aspect::Task, Some("d")));
        assert_eq!(parse("/v2/stats"), by_address(Aspect::TaskStats, None));
        assert_eq!(parse("/v2/stats/d"), by_address(Aspect::TaskStats, Some("d")));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in ["", "/", "/v4", "/v5/u", "/v4/u/x", "/v4/u/task/x", "/v2", "/v2/x", "v4/u"] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
