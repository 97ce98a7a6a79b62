//! Account settings in requests.

use longshore_model::Owner;
use longshore_model::account_settings::SettingName;

use crate::api::exception::Exception;
use crate::api::input;

/// A setting's name that must be there.
pub(in crate::api) fn required_setting(text: Option<String>) -> Result<SettingName, Exception> {
    parse_setting(&input::required(text, "name")?)
}

/// A setting's name.
pub(in crate::api) fn parse_setting(text: &str) -> Result<SettingName, Exception> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = SettingName::ALL.iter().map(|it| it.as_str()).collect();
        Exception::invalid(format!("name should be one of [{}]", names.join(",")))
    })
}

/// The root, by its ARN or by nobody being named: there is no other principal.
pub(in crate::api) fn check_principal(text: Option<&str>, owner: &Owner) -> Result<(), Exception> {
    match text {
        None | Some("") => Ok(()),
        Some(text) if text == owner.root_arn() => Ok(()),
        Some(_) => Err(Exception::invalid(format!(
            "The only principal here is {}. Leave principalArn out.",
            owner.root_arn()
        ))),
    }
}
