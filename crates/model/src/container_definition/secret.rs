//! Where a secret is to be found. Its value is never part of a definition.

use serde::{Deserialize, Serialize};

/// A name whose value is a secret: an environment variable, or an option of a log driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretValue {
    /// The variable or the option.
    pub name: String,
    /// Where its value is.
    pub value_from: SecretReference,
}

/// A plain name, the ARN of a parameter (`arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`) or of a
/// secret (`arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`), the latter with a key of the JSON
/// object that the secret holds: `...:secret:NAME:KEY::`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretReference {
    text: String,
    names: Vec<String>,
    json_key: Option<String>,
}

/// Why a text is no reference to a secret that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretReferenceError {
    /// Nothing is named.
    #[error("it names no secret")]
    Empty,
    /// An ARN of something else.
    #[error("it is not the ARN of a parameter or of a secret")]
    OtherArn,
    /// A stage or an id of a version.
    #[error(
        "it asks for a version, and each secret here has one value only: leave version-stage and version-id empty"
    )]
    Version,
}

impl SecretReference {
    /// Reads what `valueFrom` or `credentialsParameter` say.
    pub fn parse(text: &str) -> Result<Self, SecretReferenceError> {
        let (names, json_key) = match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "ssm", _, _, resource] => {
                let path = resource.strip_prefix("parameter").unwrap_or_default();
                let name = path.strip_prefix('/').ok_or(SecretReferenceError::OtherArn)?;
                (vec![name.to_owned(), path.to_owned()], None)
            }
            ["arn", _, "secretsmanager", _, _, "secret", name, ref rest @ ..] => {
                let json_key = match rest {
                    [] | ["", "", ""] => None,
                    [key] | [key, "", ""] => Some((*key).to_owned()).filter(|it| !it.is_empty()),
                    [_, _, _] => return Err(SecretReferenceError::Version),
                    _ => return Err(SecretReferenceError::OtherArn),
                };
                let names = [Some(name), without_suffix(name)];
                (names.into_iter().flatten().map(str::to_owned).collect(), json_key)
            }
            ["arn", ..] => return Err(SecretReferenceError::OtherArn),
            _ => (vec![text.to_owned()], None),
        };
        if names.iter().any(String::is_empty) {
            return Err(SecretReferenceError::Empty);
        }
        Ok(Self { text: text.to_owned(), names, json_key })
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names under which the secret may be kept: the one given first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.text.as_str())
            .filter(|_| self.json_key.is_none())
            .chain(self.names.iter().map(String::as_str))
    }

    /// The key of the JSON object that the secret holds, where only one member of it is meant.
    pub fn json_key(&self) -> Option<&str> {
        self.json_key.as_deref()
    }
}

/// The name of a secret whose ARN ends, as Secrets Manager's do, in a hyphen and six characters.
fn without_suffix(name: &str) -> Option<&str> {
    let (name, suffix) = name.rsplit_once('-')?;
    let is_random = suffix.len() == 6 && suffix.bytes().all(|it| it.is_ascii_alphanumeric());
    Some(name).filter(|it| is_random && !it.is_empty())
}

impl TryFrom<String> for SecretReference {
    type Error = SecretReferenceError;

    fn try_from(text: String) -> Result<Self, SecretReferenceError> {
        Self::parse(&text)
    }
}

impl From<SecretReference> for String {
    fn from(reference: SecretReference) -> Self {
        reference.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, names: &[&str], json_key: Option<&str>) {
        let reference = SecretReference::parse(text).unwrap();
        let rest: Vec<&str> = reference.names().filter(|it| *it != text).collect();
        assert_eq!((rest.as_slice(), reference.json_key()), (names, json_key), "{text}");
        assert_eq!(reference.as_str(), text);
    }

    #[test]
    fn a_secret_is_named_plainly_or_by_an_arn() {
        check("db-password", &[], None);
        check("/team/db", &[], None);
        check("arn:aws:ssm:us-east-1:1:parameter/db", &["db", "/db"], None);
        check("arn:aws:ssm:us-east-1:1:parameter/team/db", &["team/db", "/team/db"], None);
        let secret = "arn:aws:secretsmanager:us-east-1:1:secret:team/db-a1B2c3";
        check(secret, &["team/db-a1B2c3", "team/db"], None);
        check("arn:aws:secretsmanager:us-east-1:1:secret:db", &["db"], None);
        check(&format!("{secret}:::"), &["team/db-a1B2c3", "team/db"], None);
        check(&format!("{secret}:user::"), &["team/db-a1B2c3", "team/db"], Some("user"));
        check(&format!("{secret}:user"), &["team/db-a1B2c3", "team/db"], Some("user"));
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let check = |text: &str, error| assert_eq!(SecretReference::parse(text), Err(error));
        check("", SecretReferenceError::Empty);
        check("arn:aws:ssm:us-east-1:1:parameter/", SecretReferenceError::Empty);
        check("arn:aws:secretsmanager:us-east-1:1:secret:", SecretReferenceError::Empty);
        check("arn:aws:s3:::bucket", SecretReferenceError::OtherArn);
        check("arn:aws:ssm:us-east-1:1:document/x", SecretReferenceError::OtherArn);
        check(
            "arn:aws:secretsmanager:us-east-1:1:secret:a:b:c:d:e",
            SecretReferenceError::OtherArn,
        );
        check(
            "arn:aws:secretsmanager:us-east-1:1:secret:a::AWSPREVIOUS:",
            SecretReferenceError::Version,
        );
        check("arn:aws:secretsmanager:us-east-1:1:secret:a:k::v1", SecretReferenceError::Version);
    }
}
