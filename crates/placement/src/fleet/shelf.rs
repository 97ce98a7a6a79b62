//! The standing requests of a fleet and what they share, kept while they are used.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use longshore_model::{Attribute, Demand, LaunchKind};

use super::arrangement::Arrangement;
use super::chain::spread_over;
use super::instances::Instances;
use super::pool::Pool;
use super::standing::Standing;
use super::view::{Lens, Rules};
use crate::constraint::Constraint;
use crate::filter::Filter;
use crate::place::Request;
use crate::strategy::Strategy;

/// How many instances the standing requests of a fleet may have together: some 11 bytes each, so
/// some 110 MB, or 1,000 requests over 10,000 instances.
const MAX_SEATS: usize = 10_000_000;

/// The most standing requests of a fleet, however few instances it has.
const MAX_STANDING: usize = 1024;

/// How many bytes the expressions of a fleet's standing requests may take together, and again those
/// of its pools, each pattern reckoned as the largest that there may be: one request can have 10 MB
/// of them.
const MAX_EXPRESSIONS: usize = 128 * 1024 * 1024;

/// The most pools: a bit an instance each, and the expressions that they ask.
const MAX_POOLS: usize = 128;

/// The most arrangements: some 20 bytes an instance each.
const MAX_ARRANGEMENTS: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// By a hash of the request; of two with the same one only the latter is kept.
    standing: HashMap<u64, Kept>,
    /// How many bytes the expressions of those take.
    expressions: usize,
    /// How often one was kept.
    uses: u64,
    /// The newest last, as below.
    pools: Vec<Arc<Pool>>,
    arrangements: Vec<Arc<Arrangement>>,
}

/// A standing request, and when it was last used.
#[derive(Debug)]
struct Kept {
    used: u64,
    asked: Box<Asked>,
}

/// A standing request, what tells it from others, and what it shares with some.
#[derive(Debug)]
pub(super) struct Asked {
    asks: Asks,
    rules: Rules,
    pool: Arc<Pool>,
    arrangement: Arc<Arrangement>,
    pub(super) standing: Standing,
}

impl Asked {
    /// How many bytes its expressions take.
    fn expressions(&self) -> usize {
        let bytes = |it: &Constraint| match it {
            Constraint::DistinctInstance => 0,
            Constraint::MemberOf(query) => query.bytes(),
        };
        self.asks.constraints.iter().map(bytes).sum()
    }

    /// What to look at instances through.
    pub(super) fn split<'a>(&'a mut self, filter: &'a Filter<'a>) -> (&'a mut Standing, Lens<'a>) {
        let Self { rules, pool, arrangement, standing, .. } = self;
        (standing, Lens { filter, rules, pool, arrangement })
    }
}

/// All of a request but how many tasks it asks for.
#[derive(Debug)]
struct Asks {
    kind: Option<LaunchKind>,
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

    /// The standing request for a request, as of now: a known one that looks at what changed, or
    /// else a new one. It is given back with [`Shelf::put_back`].
    pub(super) fn take(
        &mut self,
        request: &Request<'_>,
        filter: &Filter<'_>,
        instances: &Instances,
    ) -> Box<Asked> {
        let known = self.remove(hash(request));
        match known.filter(|it| it.asks.is(request)) {
            Some(mut asked) => {
                if !asked.pool.is_current(instances) {
                    asked.pool = self.pool(&asked.rules, request, instances);
                }
                let is_arranged = asked.arrangement.is_current(instances);
                if !is_arranged {
                    asked.arrangement = self.arrangement(request, instances);
                }
                let (standing, lens) = asked.split(filter);
                let view = lens.at(instances);
                if !is_arranged || !standing.catch_up(&view) {
                    standing.look_at_all(&view);
                }
                asked
            }
            None => {
                let rules = Rules::of(request.constraints);
                let pool = self.pool(&rules, request, instances);
                let arrangement = self.arrangement(request, instances);
                let lens = Lens { filter, rules: &rules, pool: &pool, arrangement: &arrangement };
                let standing = Standing::build(request.strategies, &lens.at(instances));
                let asks = Asks::of(request);
                Box::new(Asked { asks, rules, pool, arrangement, standing })
            }
        }
    }

    /// Keeps it for the next time.
    pub(super) fn put_back(&mut self, request: &Request<'_>, asked: Box<Asked>, instances: usize) {
        self.uses += 1;
        let key = hash(request);
        self.remove(key);
        self.expressions += asked.expressions();
        self.standing.insert(key, Kept { used: self.uses, asked });
        let room = (MAX_SEATS / instances.max(1)).clamp(1, MAX_STANDING);
        while self.standing.len() > room || self.expressions > MAX_EXPRESSIONS {
            let oldest = self.standing.iter().min_by_key(|(_, it)| it.used).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, key: u64) -> Option<Box<Asked>> {
        let asked = self.standing.remove(&key)?.asked;
        self.expressions -= asked.expressions();
        Some(asked)
    }

    fn pool(&mut self, rules: &Rules, request: &Request<'_>, instances: &Instances) -> Arc<Pool> {
        let known = take_where(&mut self.pools, |it| it.asks(rules, request.requires));
        let pool = match known {
            Some(mut pool) => {
                if !pool.is_current(instances) {
                    Arc::make_mut(&mut pool).catch_up(instances);
                }
                pool
            }
            None => Arc::new(Pool::fill(rules, request.requires, instances)),
        };
        keep(&mut self.pools, &pool, MAX_POOLS);
        while self.pools.iter().map(|it| it.expressions()).sum::<usize>() > MAX_EXPRESSIONS {
            self.pools.remove(0);
        }
        pool
    }

    fn arrangement(&mut self, request: &Request<'_>, instances: &Instances) -> Arc<Arrangement> {
        self.arrangements.retain(|it| it.is_current(instances));
        let attributes = spread_over(request.strategies);
        let known = take_where(&mut self.arrangements, |it| it.is_of(request.kind, &attributes));
        let arrangement =
            known.unwrap_or_else(|| Arc::new(Arrangement::of(request.kind, attributes, instances)));
        keep(&mut self.arrangements, &arrangement, MAX_ARRANGEMENTS);
        arrangement
    }
}

fn take_where<T>(of: &mut Vec<Arc<T>>, is_wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
    let at = of.iter().position(|it| is_wanted(it))?;
    Some(of.remove(at))
}

fn keep<T>(among: &mut Vec<Arc<T>>, newest: &Arc<T>, most: usize) {
    among.push(Arc::clone(newest));
    if among.len() > most {
        among.remove(0);
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
    request.kind.map(|it| it as u8).hash(&mut hasher);
    hasher.finish()
}
