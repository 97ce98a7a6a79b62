use super::*;
use crate::FrameError;

/// The members of a message of metrics with this set of one container's CPU.
fn metrics(set: &str) -> Result<StatsSet, FrameError> {
    let frame = format!(
        r#"{{"type":"PublishMetricsRequest","message":{{"taskMetrics":[{{"taskArn":"T1",
            "containerMetrics":[{{"cpuStatsSet":{set}}}]}}]}}}}"#
    );
    let Some(AgentMessage::Metrics(message)) = AgentMessage::decode(&frame)? else {
        panic!("not metrics");
    };
    let tasks = message.task_metrics.unwrap();
    let containers = tasks[0].container_metrics.as_ref().unwrap();
    Ok(containers[0].cpu_stats_set.clone().unwrap_or_default())
}

#[test]
fn numbers_are_finite_or_the_message_is_refused() {
    assert_eq!(metrics(r#"{"max":1.5}"#).unwrap().max, 1.5);
    assert_eq!(metrics(r#"{"max":2,"sampleCount":3.0}"#).unwrap().sample_count, 3);
    for set in [r#"{"max":1e999}"#, r#"{"max":NaN}"#, r#"{"max":"NaN"}"#, r#"{"sampleCount":0.5}"#]
    {
        assert!(metrics(set).is_err(), "{set}");
    }
}

#[test]
fn members_of_later_years_are_passed_over() {
    let set = metrics(r#"{"min":1,"max":2,"sampleCount":2,"sum":3,"p99":[{}]}"#).unwrap();
    assert_eq!(set, StatsSet { min: 1.0, max: 2.0, sample_count: 2, sum: 3.0 });
}

#[test]
fn a_message_that_names_nothing_is_read() {
    for kind in ["PublishMetricsRequest", "PublishHealthRequest", "PublishInstanceStatusRequest"] {
        let frame = format!(r#"{{"type":"{kind}"}}"#);
        assert!(AgentMessage::decode(&frame).unwrap().is_some(), "{kind}");
    }
    assert_eq!(AgentMessage::decode(r#"{"type":"Publish"}"#), Ok(None));
}
