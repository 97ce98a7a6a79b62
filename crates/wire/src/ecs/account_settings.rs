//! ListAccountSettings, PutAccountSetting, PutAccountSettingDefault and DeleteAccountSetting.

use crate::shape::shape;

shape! {
    pub struct ListAccountSettingsRequest {
        name: Option<String> = "name",
        value: Option<String> = "value",
        principal_arn: Option<String> = "principalArn",
        /// Whether defaults are listed too.
        effective_settings: Option<bool> = "effectiveSettings",
        next_token: Option<String> = "nextToken",
        max_results: Option<i32> = "maxResults",
    }

    pub struct ListAccountSettingsResponse {
        settings: Option<Vec<Setting>> = "settings",
        next_token: Option<String> = "nextToken",
    }

    pub struct PutAccountSettingRequest {
        name: Option<String> = "name",
        value: Option<String> = "value",
        principal_arn: Option<String> = "principalArn",
    }

    pub struct PutAccountSettingResponse {
        setting: Option<Setting> = "setting",
    }

    pub struct PutAccountSettingDefaultRequest {
        name: Option<String> = "name",
        value: Option<String> = "value",
    }

    pub struct PutAccountSettingDefaultResponse {
        setting: Option<Setting> = "setting",
    }

    pub struct DeleteAccountSettingRequest {
        name: Option<String> = "name",
        principal_arn: Option<String> = "principalArn",
    }

    pub struct DeleteAccountSettingResponse {
        setting: Option<Setting> = "setting",
    }

    /// A setting of a principal.
    pub struct Setting {
        name: Option<String> = "name",
        value: Option<String> = "value",
        principal_arn: Option<String> = "principalArn",
        /// `user` or `aws_managed`.
        kind: Option<String> = "type",
    }
}
