//! A machine's clock: off by much or little, fast or slow, and set now and then.

use longshore_model::Timestamp;

use crate::stage::{BEGINNING, MOST_SKEW_MILLIS, Stage};

/// A clock that may be wrong.
pub(crate) struct Clock {
    skew_millis: i64,
    /// What it gains, in millionths.
    drift_ppm: i64,
}

impl Clock {
    pub(super) fn draw(stage: &mut Stage) -> Self {
        let (skew, drift) = (stage.profile.skew_millis, stage.profile.drift_ppm);
        let skew_millis = stage.random.between(-skew, skew);
        let drift_ppm = if drift == 0 { 0 } else { stage.random.between(-drift, drift) };
        Self { skew_millis, drift_ppm }
    }

    pub(super) fn now(&self, stage: &Stage) -> Timestamp {
        let gained = (stage.now_millis - BEGINNING) * self.drift_ppm / 1_000_000;
        Timestamp::from_millis(stage.now_millis + self.skew_millis + gained)
    }

    /// Somebody sets it, forward or back, well or badly.
    pub(crate) fn set(&mut self, stage: &mut Stage) {
        let most = stage.random.pick(&[0, 3_000, 600_000, MOST_SKEW_MILLIS]).unwrap_or(0);
        self.skew_millis = stage.random.between(-most, most);
    }
}
