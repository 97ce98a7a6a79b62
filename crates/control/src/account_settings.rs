//! Operations on the account's settings.

use std::sync::Arc;

use longshore_model::account_settings::SettingName;
use longshore_store::StoreError;

use crate::Control;

/// Why a setting cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum PutAccountSettingError {
    /// ECS knows no such value for it.
    #[error("value should be one of [{}]", .0.values().join(","))]
    Value(SettingName),
    /// Callers may only read it.
    #[error("The account setting {0} is managed by the service and can only be read.")]
    Managed(SettingName),
    /// There is nothing here that the value would switch.
    #[error(
        "Longshore cannot honour the value '{value}' of the account setting {name}. Here it is always '{}'.",
        .name.default_value()
    )]
    Unsupported {
        /// The setting.
        name: SettingName,
        /// The value that was asked for.
        value: &'static str,
    },
    /// The state could not be saved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Control {
    /// PutAccountSetting and PutAccountSettingDefault, which are one where there is one principal.
    /// What exists stays as it is.
    pub async fn put_account_setting(
        &self,
        name: SettingName,
        value: &str,
    ) -> Result<(), PutAccountSettingError> {
        let value = name.values().iter().find(|it| **it == value);
        let value = *value.ok_or(PutAccountSettingError::Value(name))?;
        if name.is_aws_managed() {
            return Err(PutAccountSettingError::Managed(name));
        }
        if !name.is_open() && value != name.default_value() {
            return Err(PutAccountSettingError::Unsupported { name, value });
        }
        self.store
            .update(|tx| {
                let mut settings = (**tx.account_settings()).clone();
                settings.set(name, value);
                tx.put_account_settings(Arc::new(settings));
                Ok(())
            })
            .await
    }

    /// DeleteAccountSetting: the default is in force again. Gives its value.
    pub async fn delete_account_setting(
        &self,
        name: SettingName,
    ) -> Result<&'static str, StoreError> {
        self.store
            .update(|tx| {
                let mut settings = (**tx.account_settings()).clone();
                settings.clear(name);
                tx.put_account_settings(Arc::new(settings));
                Ok(name.default_value())
            })
            .await
    }
}
