//! The request that the tables of explanations are about.

use longshore_model::{Attribute, Demand, LaunchKind};

use crate::constraint::Constraint;
use crate::place::Request;
use crate::query::Query;

/// What an instance has that suits it, in the words of `crate::testing`.
pub(super) const FITS: &str = "@cap @os=linux @zone=b";

/// Group `web`; EC2, so many CPU units, 512 MiB, TCP 80, a capability, a value, and two constraints.
pub(super) fn with_request<T>(cpu_units: u32, check: impl FnOnce(&Request<'_>) -> T) -> T {
    let mut demand = Demand { ports_tcp: vec![80], ..Demand::default() };
    demand.resources.cpu_units = cpu_units;
    demand.resources.memory_mib = 512;
    let query = Query::parse("attribute:zone == b").unwrap();
    check(&Request {
        kind: Some(LaunchKind::Ec2),
        demand: &demand,
        requires: &[Attribute::named("cap"), Attribute::with_value("os", "linux")],
        group: &"web".into(),
        constraints: &[Constraint::MemberOf(query), Constraint::DistinctInstance],
        strategies: &[],
        count: 1,
    })
}
