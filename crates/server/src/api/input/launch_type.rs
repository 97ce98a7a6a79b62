//! Launch types and capacity provider strategies in requests.

use longshore_control::tasks::LaunchOn;
use longshore_model::LaunchType;
use longshore_model::launch_type::{CapacityProvider, LaunchKind, PlatformVersion, Share};
use longshore_wire::ecs;

use crate::api::exception::Exception;

const MAX_PROVIDERS: usize = 20;
const MAX_WEIGHT: u32 = 1000;
const MAX_BASE: u32 = 100_000;

/// A launch type, whether or not tasks can be launched so here.
pub(in crate::api) fn parse_launch_type(text: &str) -> Result<LaunchKind, Exception> {
    LaunchKind::parse(text)
        .ok_or_else(|| Exception::invalid("launch type should be one of [EC2,FARGATE,EXTERNAL]"))
}

/// A launch type that tasks can be launched as here.
pub(in crate::api) fn usable_launch_type(
    text: &str,
    has_fargate: bool,
) -> Result<LaunchKind, Exception> {
    let kind = parse_launch_type(text)?;
    match kind {
        LaunchKind::Fargate if !has_fargate => Err(Exception::invalid(
            "launchType FARGATE is not available here: Longshore runs tasks on container instances. Use EC2 or EXTERNAL, leave it out, or start the server with --fargate-on-instances.",
        )),
        LaunchKind::Ec2 | LaunchKind::External | LaunchKind::Fargate => Ok(kind),
    }
}

/// On what RunTask is to launch.
pub(in crate::api) fn launch_on(
    launch_type: Option<&str>,
    strategy: Option<Vec<ecs::CapacityProviderStrategyItem>>,
    platform_version: Option<&str>,
    has_fargate: bool,
) -> Result<LaunchOn, Exception> {
    let strategy = strategy.unwrap_or_default();
    if launch_type.is_some() && !strategy.is_empty() {
        return Err(Exception::invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    let version = platform_version.filter(|it| !it.is_empty());
    let platform_version = version.map(parse_platform_version).transpose()?;
    if !strategy.is_empty() {
        let shares = parse_strategy(strategy, has_fargate)?;
        return Ok(LaunchOn::Providers(shares, platform_version.unwrap_or_default()));
    }
    let kind = launch_type.map(|it| usable_launch_type(it, has_fargate)).transpose()?;
    Ok(match kind {
        Some(LaunchKind::Fargate) => LaunchOn::Type(LaunchType::Fargate {
            platform_version: platform_version.unwrap_or_default(),
            capacity_provider: None,
        }),
        None | Some(LaunchKind::Ec2 | LaunchKind::External) if version.is_some() => {
            return Err(Exception::invalid(format!(
                "The platform version must be null when specifying an {} launch type.",
                kind.unwrap_or_default().as_str()
            )));
        }
        None => LaunchOn::Any,
        Some(LaunchKind::Ec2) => LaunchOn::Type(LaunchType::Ec2),
        Some(LaunchKind::External) => LaunchOn::Type(LaunchType::External),
    })
}

fn parse_platform_version(text: &str) -> Result<PlatformVersion, Exception> {
    PlatformVersion::parse(text)
        .ok_or_else(|| Exception::platform_unknown("The specified platform does not exist."))
}

fn parse_strategy(
    sent: Vec<ecs::CapacityProviderStrategyItem>,
    has_fargate: bool,
) -> Result<Vec<Share>, Exception> {
    if sent.len() > MAX_PROVIDERS {
        return Err(Exception::invalid("capacityProviderStrategy can have at most 20 items."));
    }
    let shares: Vec<Share> =
        sent.into_iter().map(|it| parse_share(it, has_fargate)).collect::<Result<_, _>>()?;
    for (at, share) in shares.iter().enumerate() {
        if shares[..at].iter().any(|it| it.provider == share.provider) {
            return Err(Exception::invalid(format!(
                "The capacity provider {} is given more than once.",
                share.provider.as_str()
            )));
        }
    }
    if shares.iter().filter(|it| it.base > 0).count() > 1 {
        return Err(Exception::invalid("Only one capacity provider can have a base."));
    }
    if shares.len() > 1 && shares.iter().all(|it| it.weight == 0) {
        return Err(Exception::invalid(
            "At least one capacity provider must have a weight greater than 0.",
        ));
    }
    Ok(shares)
}

fn parse_share(
    sent: ecs::CapacityProviderStrategyItem,
    has_fargate: bool,
) -> Result<Share, Exception> {
    let name = super::required(sent.capacity_provider, "capacityProvider")?;
    let provider = CapacityProvider::parse(&name).ok_or_else(|| {
        Exception::invalid(format!(
            "The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again."
        ))
    })?;
    if !has_fargate {
        return Err(Exception::invalid(format!(
            "The capacity provider {name} is not available here: Longshore runs tasks on container instances. Leave capacityProviderStrategy out, or start the server with --fargate-on-instances.",
        )));
    }
    let amount =
        |number: Option<i32>, most: u32, member: &str| match u32::try_from(number.unwrap_or(0)) {
            Ok(amount) if amount <= most => Ok(amount),
            _ => Err(Exception::invalid(format!("{member} must be 0 to {most}"))),
        };
    Ok(Share {
        provider,
        base: amount(sent.base, MAX_BASE, "base")?,
        weight: amount(sent.weight, MAX_WEIGHT, "weight")?,
    })
}
