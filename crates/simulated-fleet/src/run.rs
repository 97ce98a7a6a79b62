//! A whole fleet, from its registration to its end, with what it has to say on the way.

use std::future;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use longshore_wire::ecs;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::Client;
use crate::events::AgentEvent;
use crate::fleet::{Limits, SimulatedFleet};
use crate::open_files::raise_open_files;
use crate::progress::Progress;
use crate::spec::FleetSpec;

/// Events taken in at once.
const BATCH: usize = 1024;

/// What a fleet does.
pub struct Course {
    /// Which cluster it joins.
    pub cluster: String,
    /// What it consists of.
    pub spec: FleetSpec,
    /// How much of it is under way at once.
    pub limits: Limits,
    /// After this it ends by itself.
    pub lasts: Option<Duration>,
    /// Whether its instances stay registered.
    pub leave_behind: bool,
}

/// Runs it until its time is over or it is to stop. Progress and trouble go to standard error. To
/// standard output go the summary and a line whenever the agents have come to be all connected and
/// told of what they run. SIGUSR1 breaks every agent's connection.
///
/// # Errors
/// Where the process may not open so many sockets, or wait for signals.
pub async fn run(
    client: Client,
    course: Course,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let agents = course.spec.instances;
    let reports = u64::try_from(course.limits.reports)?;
    raise_open_files(u64::from(agents).saturating_add(reports))?;
    eprintln!(
        "SIMULATED: {agents} agents join cluster {} at {}. Their containers are simulated: nothing \
         runs. Seed {}.",
        course.cluster,
        client.authority(),
        course.spec.plan.seed
    );
    let mut progress = Progress::default();
    watch(&client, &course, &mut progress, stop).await?;
    if !course.leave_behind {
        deregister(&client, &course, &progress.instances).await;
    }
    println!("SIMULATED fleet of {agents} agents ended: {progress}");
    progress.trouble().for_each(|it| println!("  {it}"));
    Ok(())
}

/// The agents live as long as this. What the server has acknowledged is counted.
async fn watch(
    client: &Client,
    course: &Course,
    progress: &mut Progress,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut breaks = signal(SignalKind::user_defined1())?;
    let (tell, mut events) = mpsc::unbounded_channel();
    let fleet = SimulatedFleet::new(client.clone(), &course.cluster, course.limits, tell);
    let handles: Vec<_> = course.spec.agents().map(|it| fleet.add(it)).collect();
    let agents = course.spec.instances;
    let time_is_over = async {
        match course.lasts {
            Some(lasts) => tokio::time::sleep(lasts).await,
            None => future::pending().await,
        }
    };
    tokio::pin!(stop, time_is_over);
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut shown_at, mut shown_reports) = (Instant::now(), 0);
    let mut was_in_agreement = false;
    let mut batch: Vec<AgentEvent> = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = &mut time_is_over => break,
            Some(()) = breaks.recv() => {
                eprintln!("simulated: all agents lose their connections");
                fleet.break_connections();
            }
            _ = seconds.tick() => {
                eprintln!("{}", progress.line(agents, shown_reports, shown_at.elapsed()));
                (shown_at, shown_reports) = (Instant::now(), progress.reports());
            }
            _ = events.recv_many(&mut batch, BATCH) => {
                for event in batch.drain(..) {
                    if let Some(trouble) = progress.heard(event) {
                        eprintln!("{trouble}");
                    }
                }
                let is_in_agreement = progress.is_in_agreement(agents);
                if is_in_agreement && !was_in_agreement {
                    println!("longshore simulated fleet connected");
                }
                was_in_agreement = is_in_agreement;
            }
        }
    }
    fleet.end().await;
    drop(handles);
    while let Ok(event) = events.try_recv() {
        progress.heard(event);
    }
    Ok(())
}

/// Also where they have tasks, which nobody runs any more.
async fn deregister(client: &Client, course: &Course, instances: &[String]) {
    eprintln!("simulated: deregistering {} instances", instances.len());
    let call = |instance: &String| {
        let request = ecs::DeregisterContainerInstanceRequest {
            cluster: Some(course.cluster.clone()),
            container_instance: Some(instance.clone()),
            force: Some(true),
        };
        async move { client.call(&request).await.map(|_| ()) }
    };
    let mut calls = stream::iter(instances).map(call).buffer_unordered(course.limits.joins.max(1));
    let (mut failed, mut first) = (0_u32, None);
    while let Some(answer) = calls.next().await {
        if let Err(error) = answer {
            failed += 1;
            first.get_or_insert(error);
        }
    }
    if let Some(error) = first {
        eprintln!("{failed} instances stay registered; the first error: {error}");
    }
}
