//! On which infrastructure a task was launched, as its caller put it.
//! Source: Amazon ECS API Reference, `launchType`, `CapacityProviderStrategyItem` and
//! `platformVersion`.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// As ECS spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one that ECS spells so.
            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant,)*].into_iter().find(|it| it.as_str() == text)
            }
        }
    };
}

words! {
    /// A launch type.
    LaunchKind {
        /// Machines that joined by themselves.
        #[default]
        Ec2 = "EC2",
        /// AWS's own, which stands here for whichever machines there are.
        Fargate = "FARGATE",
        /// Machines outside of AWS.
        External = "EXTERNAL",
    }
}
words! {
    /// A version of the platform that Fargate promises.
    PlatformVersion {
        /// Whichever is the newest.
        #[default]
        Latest = "LATEST",
        /// Of 2020.
        V1_4_0 = "1.4.0",
        /// Of 2018.
        V1_3_0 = "1.3.0",
    }
}
words! {
    /// A capacity provider that every account has.
    CapacityProvider {
        /// At the usual price.
        #[default]
        Fargate = "FARGATE",
        /// At a lower price, with an end at short notice.
        FargateSpot = "FARGATE_SPOT",
    }
}

/// What a task was launched as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LaunchType {
    /// EC2.
    #[default]
    Ec2,
    /// EXTERNAL.
    External,
    /// FARGATE.
    Fargate {
        /// As asked for.
        platform_version: PlatformVersion,
        /// Where a strategy was asked for, the one that this task fell to.
        capacity_provider: Option<CapacityProvider>,
    },
}

impl LaunchType {
    /// Which of ECS's launch types it is.
    pub fn kind(&self) -> LaunchKind {
        match self {
            Self::Ec2 => LaunchKind::Ec2,
            Self::External => LaunchKind::External,
            Self::Fargate { .. } => LaunchKind::Fargate,
        }
    }

    /// Whether it is the usual one.
    pub fn is_ec2(&self) -> bool {
        *self == Self::Ec2
    }
}

/// A provider's part in a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub provider: CapacityProvider,
    /// How many tasks it gets before the weights count.
    pub base: u32,
    /// Its part of the others, beside the other weights.
    pub weight: u32,
}

/// Which provider each of a call's tasks falls to: the bases first, then by weight, so that the
/// parts are as near to the weights as whole tasks allow. Where no weight is set, all count alike.
pub fn share_out(shares: &[Share], count: u32) -> Vec<CapacityProvider> {
    let bases = shares.iter().flat_map(|it| (0..it.base.min(count)).map(|_| it.provider));
    let mut chosen: Vec<CapacityProvider> = bases.take(count as usize).collect();
    let unweighted = shares.iter().all(|it| it.weight == 0);
    let mut given = vec![0_u32; shares.len()];
    while chosen.len() < count as usize {
        let cost = |at: usize| {
            let weight = if unweighted { 1 } else { shares[at].weight };
            (weight > 0).then(|| f64::from(given[at] + 1) / f64::from(weight))
        };
        let costs = (0..shares.len()).filter_map(|at| Some((at, cost(at)?)));
        let Some((next, _)) = costs.min_by(|one, other| one.1.total_cmp(&other.1)) else { break };
        given[next] += 1;
        chosen.push(shares[next].provider);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares such as `FARGATE:base:weight`, and the tasks that fall to each: `F` or `S`.
    #[track_caller]
    fn check(shares: &str, count: u32, expected: &str) {
        let share = |it: &str| {
            let mut parts = it.split(':');
            Share {
                provider: CapacityProvider::parse(parts.next().unwrap()).unwrap(),
                base: parts.next().unwrap().parse().unwrap(),
                weight: parts.next().unwrap().parse().unwrap(),
            }
        };
        let shares: Vec<Share> = shares.split_whitespace().map(share).collect();
        let letter = |it: CapacityProvider| match it {
            CapacityProvider::Fargate => 'F',
            CapacityProvider::FargateSpot => 'S',
        };
        let seen: String = share_out(&shares, count).into_iter().map(letter).collect();
        assert_eq!(seen, expected, "{shares:?}");
    }

    #[test]
    fn bases_come_first_and_weights_divide_the_rest() {
        check("FARGATE:0:1", 3, "FFF");
        check("FARGATE:0:0", 2, "FF");
        check("FARGATE:0:1 FARGATE_SPOT:0:3", 8, "SSFSSSFS");
        check("FARGATE:2:1 FARGATE_SPOT:0:1", 4, "FFFS");
        check("FARGATE:5:0 FARGATE_SPOT:0:1", 3, "FFF");
        check("FARGATE:1:0 FARGATE_SPOT:0:1", 3, "FSS");
    }

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for kind in [LaunchKind::Ec2, LaunchKind::Fargate, LaunchKind::External] {
            assert_eq!(LaunchKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(PlatformVersion::parse("1.4.0"), Some(PlatformVersion::V1_4_0));
        assert_eq!(PlatformVersion::parse("2"), None);
    }
}
