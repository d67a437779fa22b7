use super::*;

fn attributes<'a>(pairs: &[(&'a str, &'a str)]) -> Attributes<'a> {
    let mut attributes = Attributes::default();
    for (key, value) in pairs {
        attributes.push(Cow::Borrowed(key), Cow::Borrowed(value));
    }
    attributes
}

fn shown(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let pairs = pairs.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", name.as_ref(), value.as_ref()))
        .collect();
    pairs.join(" ")
}

#[test]
fn i_otlp_label_1_job_and_instance() {
    for (pairs, shared, target) in [
        (&[][..], "job=unknown_service", ""),
        (
            &[("service.name", "cart")],
            "job=cart service_name=cart",
            "",
        ),
        (
            &[("service.namespace", "shop"), ("host.name", "h1")],
            "job=unknown_service service_namespace=shop",
            "host_name=h1",
        ),
        (
            &[
                ("telemetry.sdk.language", "rust"),
                ("service.name", "cart"),
                ("service.namespace", "shop"),
                ("service.instance.id", "i-1"),
                ("deployment.environment.name", "prod"),
                ("host.name", "h1"),
            ],
            "job=shop/cart instance=i-1 service_name=cart service_namespace=shop \
             service_instance_id=i-1 deployment_environment_name=prod",
            "host_name=h1 telemetry_sdk_language=rust",
        ),
    ] {
        let resource = Resource::of(&attributes(pairs));
        assert_eq!(shown(&resource.shared), shared);
        assert_eq!(shown(&resource.target), target);
    }
}

#[test]
fn scopes_are_labels_when_they_say_something() {
    let mut resource = Resource::of(&attributes(&[("service.name", "s")]));
    resource.set_scope("io.http", "1.2");
    assert_eq!(
        shown(&resource.shared),
        "job=s service_name=s otel_scope_name=io.http otel_scope_version=1.2"
    );
    resource.set_scope("", "");
    assert_eq!(shown(&resource.shared), "job=s service_name=s");
}

#[test]
fn i_otlp_label_2_keys_that_meet_are_joined() {
    let point = attributes(&[("a_b", "3"), ("a.b", "2"), ("c", "x"), ("a-b", "1")]);
    assert_eq!(shown(&of_attributes(&point, &[])), "a_b=1;2;3 c=x");
}

#[test]
fn i_otlp_label_3_a_point_cannot_pretend_to_be_another_job() {
    let resource = Resource::of(&attributes(&[("service.name", "s")]));
    let point = attributes(&[
        ("job", "other"),
        ("service.name", "x"),
        ("instance", "mine"),
    ]);
    assert_eq!(
        shown(&of_attributes(&point, &resource.shared)),
        "exported_job=other exported_service_name=x instance=mine"
    );
    let resource = Resource::of(&attributes(&[("service.name", "s"), ("job", "x")]));
    assert_eq!(shown(&resource.target), "exported_job=x");
}
