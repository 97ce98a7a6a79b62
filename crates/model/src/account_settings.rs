//! What the account has chosen for all that will be created in it.
//! Source: Amazon ECS API Reference, `PutAccountSetting` and `Setting`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::arn::ArnForm;

/// No setting has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no account setting has this name")]
pub struct SettingNameError;

macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident = $text:literal: $default:literal of [$($value:literal),*],)*) => {
        /// The name of a setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum SettingName {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl SettingName {
            /// Every setting.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As ECS spells it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The values that ECS knows for it.
            pub const fn values(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($value,)*],)*
                }
            }

            /// The value where none is set.
            pub const fn default_value(self) -> &'static str {
                match self {
                    $(Self::$variant => $default,)*
                }
            }
        }
    };
}

settings! {
    /// The form of services' ARNs.
    ServiceLongArnFormat = "serviceLongArnFormat": "enabled" of ["enabled", "disabled"],
    /// The form of tasks' ARNs, and of their containers'.
    TaskLongArnFormat = "taskLongArnFormat": "enabled" of ["enabled", "disabled"],
    /// The form of container instances' ARNs.
    ContainerInstanceLongArnFormat = "containerInstanceLongArnFormat": "enabled"
        of ["enabled", "disabled"],
    /// More network interfaces on an instance.
    AwsvpcTrunking = "awsvpcTrunking": "disabled" of ["enabled", "disabled"],
    /// Metrics and events in CloudWatch.
    ContainerInsights = "containerInsights": "disabled" of ["enhanced", "enabled", "disabled"],
    /// Cryptography by FIPS-140.
    FargateFipsMode = "fargateFIPSMode": "disabled" of ["enabled", "disabled"],
    /// Whether tags at creation need a permission of their own.
    TagResourceAuthorization = "tagResourceAuthorization": "off" of ["on", "off"],
    /// Days until tasks are moved off a platform that is updated.
    FargateTaskRetirementWaitPeriod = "fargateTaskRetirementWaitPeriod": "7" of ["0", "7", "14"],
    /// Runtime monitoring, which AWS switches.
    GuardDutyActivate = "guardDutyActivate": "off" of ["on", "off"],
    /// Whether a container waits when its log driver does, where its definition does not say.
    DefaultLogDriverMode = "defaultLogDriverMode": "blocking" of ["blocking", "non-blocking"],
}

impl SettingName {
    /// Whether it can be set to other values than its default. The others stand at what is so
    /// here: there is no part of Longshore that they could switch.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::ServiceLongArnFormat
                | Self::TaskLongArnFormat
                | Self::ContainerInstanceLongArnFormat
        )
    }

    /// Whether callers may only read it.
    pub const fn is_aws_managed(self) -> bool {
        matches!(self, Self::GuardDutyActivate)
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SettingName {
    type Err = SettingNameError;

    fn from_str(text: &str) -> Result<Self, SettingNameError> {
        Self::ALL.iter().copied().find(|it| it.as_str() == text).ok_or(SettingNameError)
    }
}

/// The settings of the account. There is one principal, its root, whose settings are everybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountSettings(BTreeMap<SettingName, Box<str>>);

impl AccountSettings {
    /// What was set, if anything was.
    pub fn own(&self, name: SettingName) -> Option<&str> {
        self.0.get(&name).map(|it| &**it)
    }

    /// What is in force.
    pub fn effective(&self, name: SettingName) -> &str {
        self.own(name).unwrap_or(name.default_value())
    }

    /// Sets one of the setting's values.
    pub fn set(&mut self, name: SettingName, value: &'static str) {
        self.0.insert(name, value.into());
    }

    /// Goes back to the default.
    pub fn clear(&mut self, name: SettingName) {
        self.0.remove(&name);
    }

    /// The form of the ARNs of tasks that are created now.
    pub fn task_arns(&self) -> ArnForm {
        self.form(SettingName::TaskLongArnFormat)
    }

    /// The form of the ARNs of container instances that are registered now.
    pub fn container_instance_arns(&self) -> ArnForm {
        self.form(SettingName::ContainerInstanceLongArnFormat)
    }

    fn form(&self, name: SettingName) -> ArnForm {
        if self.effective(name) == "disabled" { ArnForm::Short } else { ArnForm::Long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_own_and_every_default_a_value() {
        for &name in SettingName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert!(name.values().contains(&name.default_value()), "{name}");
        }
        assert_eq!("longArns".parse::<SettingName>(), Err(SettingNameError));
    }

    #[test]
    fn a_setting_is_its_default_until_it_is_set_and_once_it_is_cleared() {
        let mut settings = AccountSettings::default();
        let name = SettingName::TaskLongArnFormat;
        assert_eq!((settings.own(name), settings.effective(name)), (None, "enabled"));
        assert_eq!(settings.task_arns(), ArnForm::Long);
        settings.set(name, "disabled");
        assert_eq!(settings.own(name), Some("disabled"));
        assert_eq!(settings.task_arns(), ArnForm::Short);
        assert_eq!(settings.container_instance_arns(), ArnForm::Long, "that is another");
        settings.clear(name);
        assert_eq!(settings, AccountSettings::default());
    }
}
