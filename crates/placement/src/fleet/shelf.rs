//! The standing requests and pools of a fleet, the least recently used of which go when they take
//! too much room.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use longshore_model::{Attribute, Demand, LaunchKind};

use super::log::Log;
use super::pool::{Pool, Question};
use super::slots::Slots;
use super::standing::{Standing, View};
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::place::Request;
use crate::strategy::Strategy;

/// How many seats the standing requests of a fleet may have together: some 100 bytes each, so some
/// 100 MB, or 100 requests over 10,000 instances.
const MAX_SEATS: usize = 1_000_000;

/// The most standing requests of a fleet, however few instances it has.
const MAX_STANDING: usize = 1024;

/// The most pools: a bit an instance each, and the expressions that they ask.
const MAX_POOLS: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// By a hash of the request; of two with the same one only the latter is kept.
    standing: HashMap<u64, Kept<Asked>>,
    pools: Vec<Kept<Pool>>,
    /// Rises with each use.
    uses: u64,
}

/// Something, and when it was last used.
#[derive(Debug)]
struct Kept<T> {
    used: u64,
    it: T,
}

/// A standing request, and what tells it from others.
#[derive(Debug)]
pub(super) struct Asked {
    asks: Asks,
    pub(super) standing: Standing,
}

/// All of a request but how many tasks it asks for.
#[derive(Debug)]
struct Asks {
    kind: LaunchKind,
    demand: Demand,
    requires: Vec<Attribute>,
    group: Arc<str>,
    constraints: Vec<Constraint>,
    strategies: Vec<Strategy>,
}

impl Asks {
    fn of(request: &Request<'_>) -> Self {
        Self {
            kind: request.kind,
            demand: request.demand.clone(),
            requires: request.requires.to_vec(),
            group: Arc::clone(request.group),
            constraints: request.constraints.to_vec(),
            strategies: request.strategies.to_vec(),
        }
    }

    fn is(&self, request: &Request<'_>) -> bool {
        self.kind == request.kind
            && self.demand == *request.demand
            && self.group == *request.group
            && self.strategies == request.strategies
            && self.requires == request.requires
            && self.constraints == request.constraints
    }
}

impl Shelf {
    /// How many standing requests are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.standing.len()
    }

    /// The pool and the standing request for a request, as of now: known ones that look at what
    /// changed, or else new ones. They are given back with [`Shelf::put_back`].
    pub(super) fn take(
        &mut self,
        request: &Request<'_>,
        filter: &Filter<'_>,
        slots: &Slots,
        records: &Log,
        changes: &Log,
    ) -> (Pool, Asked) {
        let pool = self.take_pool(Question::of(request), filter, slots, records);
        let known = self.standing.remove(&hash(request)).filter(|it| it.it.asks.is(request));
        let view = View { request, filter, pool: &pool, slots };
        let asked = known
            .map(|it| it.it)
            .and_then(|mut it| it.standing.catch_up(view, records, changes).then_some(it))
            .unwrap_or_else(|| Asked {
                asks: Asks::of(request),
                standing: Standing::build(view, records, changes),
            });
        (pool, asked)
    }

    fn take_pool(
        &mut self,
        question: Question,
        filter: &Filter<'_>,
        slots: &Slots,
        records: &Log,
    ) -> Pool {
        let known = self.pools.iter().position(|it| it.it.asks(&question));
        known
            .map(|at| self.pools.swap_remove(at).it)
            .and_then(|mut it| it.catch_up(filter, slots, records).then_some(it))
            .unwrap_or_else(|| Pool::fill(question, filter, slots, records))
    }

    /// Keeps both for the next time.
    pub(super) fn put_back(
        &mut self,
        request: &Request<'_>,
        pool: Pool,
        asked: Asked,
        instances: usize,
    ) {
        self.uses += 1;
        let used = self.uses;
        self.pools.push(Kept { used, it: pool });
        self.standing.insert(hash(request), Kept { used, it: asked });
        let room = (MAX_SEATS / instances.max(1)).clamp(1, MAX_STANDING);
        while self.standing.len() > room {
            let oldest = self.standing.iter().min_by_key(|(_, it)| it.used).map(|(key, _)| *key);
            oldest.and_then(|it| self.standing.remove(&it));
        }
        while self.pools.len() > MAX_POOLS {
            let oldest = (0..self.pools.len()).min_by_key(|at| self.pools[*at].used);
            oldest.map(|at| self.pools.swap_remove(at));
        }
    }
}

fn hash(request: &Request<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let demand = request.demand;
    (demand.resources.cpu_units, demand.resources.memory_mib).hash(&mut hasher);
    (&demand.ports_tcp, &demand.ports_udp, &**request.group).hash(&mut hasher);
    (request.strategies, request.constraints).hash(&mut hasher);
    for it in request.requires {
        (&it.name, &it.value).hash(&mut hasher);
    }
    (request.kind as u8).hash(&mut hasher);
    hasher.finish()
}
