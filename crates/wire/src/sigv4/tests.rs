use proptest::prelude::*;

use super::*;

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z
const NOW: i64 = 1_440_938_160;

fn secret_of(access_key: &str) -> Option<&'static str> {
    (access_key == ACCESS_KEY).then_some(SECRET)
}

/// A case of AWS's published test suite: `HEADERS` are lines, the signature covers all of them.
#[track_caller]
fn check_published(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
    signature: &str,
) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders={}, Signature={signature}",
        names.join(";")
    );
    let mut headers: Vec<(&str, &[u8])> =
        headers.iter().map(|&(name, value)| (name, value.as_bytes())).collect();
    headers.push(("Authorization", authorization.as_bytes()));
    let request = SignedRequest { method, path, query, headers: &headers, body: body.as_bytes() };
    let verified = Verifier::new("service").verify(&request, NOW, secret_of);
    assert_eq!(verified, Ok(Verified { access_key_id: ACCESS_KEY, region: "us-east-1" }));
}

const HOST: (&str, &str) = ("Host", "example.amazonaws.com");
const DATE: (&str, &str) = ("X-Amz-Date", "20150830T123600Z");
const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

#[test]
fn published_get_vanilla() {
    check_published("GET", "/", &[HOST, DATE], "", VANILLA);
    check_published("GET", "/?", &[HOST, DATE], "", VANILLA);
}

#[test]
fn published_paths() {
    for path in ["//", "/./", "/example/..", "/example1/example2/../.."] {
        check_published("GET", path, &[HOST, DATE], "", VANILLA);
    }
    let utf8 = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85";
    check_published("GET", "/\u{1234}", &[HOST, DATE], "", utf8);
    let slashes = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84";
    check_published("GET", "//example//", &[HOST, DATE], "", slashes);
    let unreserved = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f";
    let path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    check_published("GET", path, &[HOST, DATE], "", unreserved);
}

#[test]
fn published_queries() {
    let order = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    check_published("GET", "/?Param2=value2&Param1=value1", &[HOST, DATE], "", order);
    let empty_key = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb";
    check_published("GET", "/?Param1=value1", &[HOST, DATE], "", empty_key);
    let utf8 = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04";
    check_published("GET", "/?\u{1234}=bar", &[HOST, DATE], "", utf8);
}

#[test]
fn published_headers() {
    let trimmed = [HOST, ("My-Header1", " value1"), ("My-Header2", " \"a   b   c\""), DATE];
    let trim = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736";
    check_published("GET", "/", &trimmed, "", trim);
    let repeated =
        [HOST, ("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1"), DATE];
    let duplicate = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea";
    check_published("GET", "/", &repeated, "", duplicate);
}

#[test]
fn published_posts() {
    let vanilla = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
    check_published("POST", "/", &[HOST, DATE], "", vanilla);
    let form = [("Content-Type", "application/x-www-form-urlencoded"), HOST, DATE];
    let signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
    check_published("POST", "/", &form, "Param1=value1", signature);
}

#[test]
fn signing_gives_the_published_signature() {
    let host = [("host", b"example.amazonaws.com".as_slice())];
    let request = SignedRequest { method: "GET", path: "/", query: "", headers: &host, body: b"" };
    let credentials = Credentials { access_key_id: ACCESS_KEY, secret_access_key: SECRET };
    let signature = sign(&request, credentials, "us-east-1", "service", NOW);
    assert_eq!(signature.amz_date, "20150830T123600Z");
    assert_eq!(
        signature.authorization,
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={VANILLA}"
        )
    );
}

/// An API call as our own clients send it, with everything that a caller could tamper with.
#[derive(Clone, Debug)]
struct Call {
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    fn run_task() -> Self {
        let headers = [
            ("host", "127.0.0.1:8080"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask"),
            ("user-agent", "test"),
        ];
        Self {
            path: "/".into(),
            query: String::new(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            body: br#"{"taskDefinition":"job"}"#.into(),
        }
    }

    fn with<T>(&self, use_it: impl FnOnce(&SignedRequest<'_>) -> T) -> T {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        use_it(&SignedRequest {
            method: "POST",
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        })
    }

    fn signed(mut self) -> Self {
        let credentials = Credentials { access_key_id: ACCESS_KEY, secret_access_key: SECRET };
        let signature = self.with(|it| sign(it, credentials, "us-east-1", "ecs", NOW));
        self.headers.push(("x-amz-date".into(), signature.amz_date.into()));
        self.headers.push(("authorization".into(), signature.authorization.into()));
        self
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.headers.iter_mut().find(|(it, _)| it == name);
        &mut found.expect("the call has that header").1
    }

    fn verify_at(&self, now_secs: i64) -> Result<(), SigV4Error> {
        self.with(|it| Verifier::new("ecs").verify(it, now_secs, secret_of).map(|_| ()))
    }

    #[track_caller]
    fn check_refused(&self, code: &str, message: &str) {
        let error = self.verify_at(NOW).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

#[test]
fn a_signed_call_is_verified() {
    assert_eq!(Call::run_task().signed().verify_at(NOW), Ok(()));
}

#[test]
fn a_verifier_remembers_the_key_but_not_the_verdict() {
    let verifier = Verifier::new("ecs");
    let call = Call::run_task().signed();
    for _ in 0..2 {
        assert!(call.with(|it| verifier.verify(it, NOW, secret_of).is_ok()));
    }
    let mut changed = call.clone();
    changed.body.push(b' ');
    assert!(changed.with(|it| verifier.verify(it, NOW, secret_of).is_err()));
    assert!(call.with(|it| verifier.verify(it, NOW, |_| Some("rotated")).is_err()));
    assert!(call.with(|it| verifier.verify(it, NOW, |_| None::<&str>).is_err()));
}

#[test]
fn one_changed_bit_anywhere_is_refused() {
    let call = Call::run_task().signed();
    for byte in 0..call.body.len() {
        let mut changed = call.clone();
        changed.body[byte] ^= 1;
        changed.check_refused("InvalidSignatureException", MISMATCH);
    }
    for name in ["host", "content-type", "x-amz-target"] {
        let mut changed = call.clone();
        changed.header(name)[0] ^= 1;
        changed.check_refused("InvalidSignatureException", MISMATCH);
    }
    let mut changed = call.clone();
    changed.query = "a=1".into();
    changed.check_refused("InvalidSignatureException", MISMATCH);
    let mut changed = call.clone();
    changed.path = "/a".into();
    changed.check_refused("InvalidSignatureException", MISMATCH);
    let mut changed = call;
    let last = changed.header("authorization").last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    changed.check_refused("InvalidSignatureException", MISMATCH);
}

#[test]
fn a_header_that_is_not_signed_may_change() {
    let mut call = Call::run_task().signed();
    *call.header("user-agent") = b"other".into();
    assert_eq!(call.verify_at(NOW), Ok(()));
}

#[test]
fn a_call_without_authorization_misses_its_token() {
    let code = "MissingAuthenticationTokenException";
    Call::run_task().check_refused(code, "Missing Authentication Token");
    let mut presigned = Call::run_task();
    presigned.query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00".into();
    presigned.check_refused(
        code,
        "Signatures in the query string are not supported: send an Authorization header.",
    );
}

#[test]
fn an_unknown_access_key_is_not_recognised() {
    let mut call = Call::run_task().signed();
    let authorization = String::from_utf8(call.header("authorization").clone()).unwrap();
    *call.header("authorization") = authorization.replace(ACCESS_KEY, "AKIDOTHER").into();
    call.check_refused(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
}

#[test]
fn a_second_authorization_header_is_refused() {
    let mut call = Call::run_task().signed();
    let again = ("authorization".to_owned(), call.header("authorization").clone());
    call.headers.push(again);
    let message = "Authorization header was sent twice.";
    call.check_refused("IncompleteSignatureException", message);
}

#[test]
fn every_amz_header_must_be_signed() {
    let mut call = Call::run_task().signed();
    call.headers.push(("X-Amz-Security-Token".into(), b"token".into()));
    let message = "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.";
    call.check_refused("InvalidSignatureException", message);
}

#[test]
fn the_host_must_be_signed() {
    let mut call = Call::run_task();
    let host = call.headers.remove(0);
    let mut call = call.signed();
    call.headers.push(host);
    let message = "'host' must be a 'SignedHeader' in the AWS Authorization.";
    call.check_refused("InvalidSignatureException", message);
}

#[test]
fn a_signed_header_must_be_sent() {
    let mut call = Call::run_task().signed();
    call.headers.retain(|(name, _)| name != "content-type");
    let message = "The signed header 'content-type' was not sent.";
    call.check_refused("InvalidSignatureException", message);
}

#[test]
fn another_service_or_day_in_the_scope_is_refused() {
    for (from, to, message) in [
        ("/ecs/", "/iam/", "Credential should be scoped to correct service: 'ecs'."),
        (
            "/20150830/",
            "/20150831/",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20150831' != '20150830', from '20150830T123600Z'.",
        ),
    ] {
        let mut call = Call::run_task().signed();
        let authorization = String::from_utf8(call.header("authorization").clone()).unwrap();
        *call.header("authorization") = authorization.replace(from, to).into();
        call.check_refused("InvalidSignatureException", message);
    }
}

#[test]
fn a_clock_may_be_off_by_fifteen_minutes() {
    let call = Call::run_task().signed();
    for skew in [-900, 0, 900] {
        assert_eq!(call.verify_at(NOW + skew), Ok(()));
    }
    let refusal = |ahead_secs: i64, message: &str| {
        let refused = SigV4Error::OutOfTime {
            message: message.to_owned(),
            access_key_id: ACCESS_KEY.to_owned(),
            ahead_secs,
        };
        assert_eq!(refused.code(), "InvalidSignatureException");
        assert_eq!(call.verify_at(NOW - ahead_secs), Err(refused));
    };
    refusal(
        -901,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T125101Z - 15 min.)",
    );
    refusal(
        901,
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T122059Z + 15 min.)",
    );
}

#[test]
fn the_date_header_stands_in_for_x_amz_date() {
    let headers = [("host", "h"), ("date", "Sun, 30 Aug 2015 12:36:00 GMT")];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let mut request =
        SignedRequest { method: "GET", path: "/", query: "", headers: &headers, body: b"" };
    let scope = Scope { date: "20150830", region: "r", service: "ecs" };
    let names = ["date", "host"];
    let hash = canonical::hash(&request, CanonicalHeaders { list: "date;host", names: &names });
    let key = SigningKey::derive(SECRET, scope);
    let signature = hex::encode(key.sign("20150830T123600Z", scope, hash));
    let authorization = format!(
        "{ALGORITHM} Credential={ACCESS_KEY}/{scope}, SignedHeaders=date;host, \
         Signature={signature}"
    );
    let headers = [headers[0], headers[1], ("authorization", authorization.as_bytes())];
    request.headers = &headers;
    assert!(Verifier::new("ecs").verify(&request, NOW, secret_of).is_ok());
}

proptest! {
    #[test]
    fn whatever_is_signed_is_verified(
        path in "/[ -~\u{e4}]{0,20}",
        query in "[ -~\u{e4}]{0,40}",
        host in "[!-~]{1,20}",
        token in "[ -~]{0,20}",
        body: Vec<u8>,
    ) {
        let mut call = Call::run_task();
        call.path = path;
        call.query = query;
        *call.header("host") = host.into();
        call.headers.push(("X-Amz-Security-Token".into(), token.into()));
        call.body = body;
        prop_assert_eq!(call.signed().verify_at(NOW), Ok(()));
    }

    #[test]
    fn no_authorization_header_panics(header: Vec<u8>, date: Vec<u8>, query in ".*") {
        let mut call = Call::run_task().signed();
        call.query = query;
        *call.header("authorization") = header;
        prop_assert!(call.verify_at(NOW).is_err());
        *call.header("x-amz-date") = date;
        prop_assert!(call.verify_at(NOW).is_err());
    }
}
