use std::time::Duration;

use serde_json::json;

use super::*;

const SHOP: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  SiteUrl: { Type: String }
  MailFrom: { Type: String }
  ShopName: { Type: String, Default: Till }
  Mode: { Type: String, Default: test }
  Seconds: { Type: Number, Default: 20 }
Conditions:
  IsLive: !Equals [!Ref Mode, live]
Globals:
  Function:
    Timeout: !Ref Seconds
    Environment:
      Variables:
        TILL_MODE: !Ref Mode
        TILL_STACK: !Sub ['${AWS::StackName}-${Id}', {Id: !Select [2, !Split [/, !Ref AWS::StackId]]}]
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Buyer
        Authorizers:
          Buyer:
            IdentitySource: $request.header.Authorization
      CorsConfiguration:
        AllowOrigins: [!Ref SiteUrl]
        AllowMethods: [GET, POST]
        AllowHeaders: [authorization, content-type, idempotency-key]
        MaxAge: 600
  ProductsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - { AttributeName: id, AttributeType: S }
        - { AttributeName: catalog, AttributeType: S }
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: catalog
          KeySchema:
            - { AttributeName: catalog, KeyType: HASH }
            - { AttributeName: id, KeyType: RANGE }
          Projection: { ProjectionType: ALL }
      BillingMode: PAY_PER_REQUEST
  OutboxTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      StreamSpecification: { StreamViewType: NEW_IMAGE }
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  CheckoutFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          PRODUCTS_TABLE: !Ref ProductsTable
          SUCCESS_URL: !Sub "${SiteUrl}/success.html?purchase_id=${!id}"
          MAIL_FROM: !Ref MailFrom
          TILL_MODE: !If [IsLive, live, "test, really"]
          GONE: !Ref AWS::NoValue
      Policies:
        - Statement: { Resource: !ImportValue nobody-reads-this }
      Events:
        Buy: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: /checkout, Method: post } }
  CatalogFunction:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 10
      Events:
        One:
          Type: HttpApi
          Properties:
            { ApiId: !Ref Api, Path: "/products/{id}", Method: GET, Auth: { Authorizer: NONE } }
  WebhookFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionUrlConfig: { AuthType: NONE }
  MailerFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        NewMail:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt OutboxTable.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumRetryAttempts: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"]}' }] }
        Due:
          Type: Schedule
          Properties: { Schedule: rate(1 minute) }
  OnlyLiveTable:
    Type: AWS::DynamoDB::Table
    Condition: IsLive
"#;

fn shop() -> Template {
    let parameters = Parameters::from([("SiteUrl".into(), "http://127.0.0.1:3000".into())]);
    Template::parse("template.yaml", SHOP, &parameters).unwrap()
}

/// What reading says when `from` in the shop's template reads `to`.
fn complaint(from: &str, to: &str) -> String {
    assert!(SHOP.contains(from), "{from}");
    let parameters = Parameters::from([("SiteUrl".into(), "http://127.0.0.1:3000".into())]);
    Template::parse("template.yaml", &SHOP.replace(from, to), &parameters)
        .unwrap_err()
        .to_string()
}

#[test]
fn tables_carry_their_indexes_stream_and_expiry() {
    let tables = shop().tables;
    let [outbox, products] = tables.as_slice() else {
        panic!("{tables:?}")
    };
    assert_eq!(outbox.name, "OutboxTable");
    assert_eq!(outbox.stream_view_type.as_deref(), Some("NEW_IMAGE"));
    assert_eq!(outbox.ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(products.stream_view_type, None);
    assert_eq!(
        products.key_schema,
        json!([{ "AttributeName": "id", "KeyType": "HASH" }])
    );
    assert_eq!(
        products.indexes["catalog"]["Projection"],
        json!({ "ProjectionType": "ALL" })
    );
}

#[test]
fn routes_know_whether_the_caller_must_be_signed_in() {
    let mut routes = shop().routes;
    routes.sort_by(|a, b| a.path.cmp(&b.path));
    let route = |function: &str, method: &str, path: &str, signed_in| Route {
        function: function.into(),
        method: method.into(),
        path: path.into(),
        signed_in,
    };
    assert_eq!(
        routes,
        [
            route("CheckoutFunction", "POST", "/checkout", true),
            route("CatalogFunction", "GET", "/products/{id}", false),
        ]
    );
}

#[test]
fn a_functions_environment_is_the_globals_then_its_own() {
    let functions = shop().functions;
    let environment = &functions["CheckoutFunction"].environment;
    let given = |name: &str| environment[name].as_deref();
    assert_eq!(given("TILL_STACK"), Some("till-local"));
    assert_eq!(given("TILL_MODE"), Some("test, really"));
    assert_eq!(given("PRODUCTS_TABLE"), Some("ProductsTable"));
    assert_eq!(
        given("SUCCESS_URL"),
        Some("http://127.0.0.1:3000/success.html?purchase_id=${id}")
    );
    assert!(!environment.contains_key("GONE"));
    assert_eq!(
        given("MAIL_FROM"),
        None,
        "the parameter was not given and has no default"
    );
    assert_eq!(
        functions["CatalogFunction"].timeout,
        Duration::from_secs(10)
    );
    assert_eq!(
        functions["CheckoutFunction"].timeout,
        Duration::from_secs(20)
    );
}

#[test]
fn the_mailer_is_woken_by_the_outbox_and_by_the_clock() {
    let template = shop();
    let [mapping] = template.streams.as_slice() else {
        panic!("{:?}", template.streams)
    };
    assert_eq!(
        (mapping.function.as_str(), mapping.table.as_str()),
        ("MailerFunction", "OutboxTable")
    );
    assert_eq!((mapping.batch_size, mapping.maximum_retries), (10, Some(5)));
    assert!(mapping.reports_failures);
    assert!(mapping.filters[0].matches(&json!({ "eventName": "INSERT" })));
    assert!(!mapping.filters[0].matches(&json!({ "eventName": "MODIFY" })));
    let [due] = template.schedules.as_slice() else {
        panic!("{:?}", template.schedules)
    };
    assert_eq!(
        (due.function.as_str(), due.every),
        ("MailerFunction", Duration::from_secs(60))
    );
}

#[test]
fn the_webhook_has_a_url_and_the_api_lets_the_site_call() {
    let template = shop();
    assert_eq!(template.function_urls, ["WebhookFunction"]);
    let cors = template.cors.unwrap();
    assert_eq!(cors.origins, ["http://127.0.0.1:3000"]);
    assert_eq!(cors.max_age, Some(600));
}

#[test]
fn what_is_broken_is_named_by_file_and_property() {
    for (from, to, complaint_expected) in [
        (
            "      KeySchema: [{ AttributeName: id, KeyType: HASH }]\n      StreamSpecification",
            "      StreamSpecification",
            "template.yaml: Resources.OutboxTable.Properties.KeySchema is missing",
        ),
        (
            "!Ref ProductsTable",
            "!Ref ProdcutsTable",
            "template.yaml: Resources.CheckoutFunction.Properties.Environment.Variables.\
             PRODUCTS_TABLE refers to ProdcutsTable, which the template does not define",
        ),
        (
            "rate(1 minute)",
            "cron(0 * * * ? *)",
            "template.yaml: Resources.MailerFunction.Properties.Events.Due.Properties.Schedule \
             is not a rate: write it as rate(5 minutes), the only form that the local shop supports",
        ),
        (
            "Timeout: 10",
            "Timeout: soon",
            "template.yaml: Resources.CatalogFunction.Properties.Timeout must be a whole number",
        ),
        (
            "      StreamSpecification: { StreamViewType: NEW_IMAGE }\n",
            "",
            "template.yaml: MailerFunction reads the stream of OutboxTable, which has none: \
             give it a StreamSpecification",
        ),
        (
            "DefaultAuthorizer: Buyer",
            "DefaultAuthorizer: Seller",
            "template.yaml: Resources.CheckoutFunction.Properties.Events.Buy.Properties \
             asks for the authorizer Seller, which the HTTP API does not define",
        ),
        (
            "{ Type: HttpApi, Properties: { ApiId: !Ref Api, Path: /checkout, Method: post } }",
            "{ Type: Api, Properties: { Path: /checkout, Method: post } }",
            "template.yaml: Resources.CheckoutFunction.Properties.Events.Buy.Type is Api, which \
             the local shop does not support: use HttpApi, DynamoDB, Schedule or ScheduleV2",
        ),
        (
            "TILL_MODE: !Ref Mode",
            "TILL_MODE: !FindInMap [A, B, C]",
            "template.yaml: Globals.Function.Environment.Variables.TILL_MODE uses Fn::FindInMap, \
             which the local shop does not evaluate",
        ),
    ] {
        assert_eq!(complaint(from, to), complaint_expected);
    }
}

#[test]
fn conditions_that_lead_nowhere_are_named_and_a_long_row_of_them_is_followed() {
    let row = |length: usize| {
        let row = (1..=length).map(|n| format!("C{n}: !Not [!Condition C{}]", n + 1));
        let row: Vec<_> = row.collect();
        format!("{}, C{}: !Equals [a, b]", row.join(", "), length + 1)
    };
    let with = |conditions: &str| {
        let text = format!(
            "{{ Conditions: {{ {conditions} }}, Resources: {{ Orders: {{ Type: AWS::DynamoDB::Table, \
             Condition: C1, Properties: {{}} }} }} }}"
        );
        Template::parse("template.yaml", &text, &Parameters::new())
    };
    for conditions in [
        "C1: !Condition C1",
        "C1: !Not [!Condition C1]",
        "C1: !And [!Equals [a, a], !Condition C2], C2: !Or [!Equals [a, b], !Condition C1]",
        &row(51),
        &row(20_000),
        &{
            // Each nested as deeply as YAML may be: a circle of a few must not get far either.
            let (open, close) = ("!Not [".repeat(40), "]".repeat(40));
            format!("C1: {open}!Condition C2{close}, C2: {open}!Condition C1{close}")
        },
    ] {
        let complaint = with(conditions).unwrap_err().to_string();
        assert!(
            complaint
                .starts_with("template.yaml: Resources.Orders.Condition needs the condition C")
                && complaint.ends_with("depends on itself or is more than 100 steps deep"),
            "{complaint}"
        );
    }
    // It does not hold: so many times not.
    assert!(with(&row(50)).unwrap().tables.is_empty());
    assert!(
        with(&row(49)).is_err(),
        "a table without properties is made"
    );
}

#[test]
fn two_functions_cannot_have_one_route() {
    let complaint = complaint(
        "Path: \"/products/{id}\", Method: GET",
        "Path: /checkout, Method: POST",
    );
    assert_eq!(
        complaint,
        "template.yaml: POST /checkout leads to both CatalogFunction and CheckoutFunction: \
         remove one of the routes"
    );
}

#[test]
fn text_that_is_not_yaml_is_named_by_its_line() {
    let error = Template::parse("template.yaml", "Resources:\n  - [", &Parameters::new());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("template.yaml: ") && error.contains("line"),
        "{error}"
    );
}

#[test]
fn the_deployed_shop_has_a_site_of_its_own_unless_it_is_given_one() {
    let text = include_str!("../../../../template.yaml");
    let origins = |site: &str| {
        let parameters = Parameters::from([("SiteUrl".into(), site.into())]);
        let template = Template::parse("template.yaml", text, &parameters).unwrap();
        let told = &template.functions["CheckoutFunction"].environment["SITE_URL"];
        let origins = template.cors.unwrap().origins;
        assert_eq!(origins, [told.clone().unwrap()]);
        origins.concat()
    };
    assert_eq!(origins("https://shop.example"), "https://shop.example");
    assert_eq!(origins(""), "https://SiteDistribution.DomainName");
}
