//! How long placement takes in a large cluster.

use std::time::Instant;

use super::*;

/// Not a test of the rules: run it alone, with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn six_thousand_instances_take_ten_tasks() {
    let capabilities = (17..=24).map(|it| format!("@docker-remote-api.1.{it} "));
    let capabilities: String = capabilities.collect();
    let line = |at: u32| {
        let (zone, cpu, memory) = (at % 3, 512 + at % 7 * 512, 1024 + at % 5 * 1024);
        format!(
            "i{at} {capabilities} @logging-driver.json-file @ecs.os-type=linux \
             @ecs.availability-zone=us-east-1{zone} @ecs.instance-type=t2.medium \
             cpu={cpu}/4096 memory={memory}/8192 tasks=web*{},db reserved-tcp=22,2375,2376,51678",
            1 + at % 4,
        )
    };
    let all = candidates(&(0..6000).map(line).collect::<Vec<_>>().join("\n"));
    let requires = "requires=docker-remote-api.1.21 requires=logging-driver.json-file";
    for (tasks, chosen_by) in [
        ("10 cpu=128 memory=256", ""),
        ("10 cpu=128 memory=256 tcp=8080", "binpack memory"),
        ("10 cpu=128 memory=256", "spread attribute:ecs.availability-zone, spread instanceId"),
        ("10 cpu=128 memory=256", "memberOf attribute:ecs.instance-type =~ t2.*, binpack cpu"),
        ("10 cpu=128 memory=256", "distinctInstance, spread host"),
        ("10 cpu=4096 memory=256", "binpack memory"),
    ] {
        let (count, demand, requires) = demand(&format!("{tasks} {requires}"));
        let (constraints, strategies) = rules(chosen_by);
        let request = Request {
            demand: &demand,
            requires: &requires,
            group: &"web".into(),
            constraints: &constraints,
            strategies: &strategies,
            count,
        };
        let mut times: Vec<_> = (0..50)
            .map(|seed| {
                let candidates = all.clone();
                let begun = Instant::now();
                std::hint::black_box(place(candidates, &request, seed));
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("{:>9.3?} best, {:>9.3?} median: {tasks} by {chosen_by}", times[0], times[25]);
    }
}
