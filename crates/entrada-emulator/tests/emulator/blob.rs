//! Blob storage: containers, block blobs, ranges, listings, refusals, and another server behind.

use crate::support::{Answer, Run, send, start, start_with};
use entrada_emulator::{Config, world};
use reqwest::RequestBuilder;
use std::io::{Read, Write};
use std::net::TcpListener;

const RESOURCE: &str = "https://storage.azure.com";

fn url(path: &str) -> String {
    format!("{}/{path}", world::BLOB_URL)
}

async fn put(run: &Run, token: &str, name: &str, body: &str) -> Answer {
    send(upload(run, token, name, body)).await
}

fn upload(run: &Run, token: &str, name: &str, body: &str) -> RequestBuilder {
    run.call("PUT", &url(name), token).header("x-ms-blob-type", "BlockBlob").body(body.to_owned())
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.header("x-ms-error-code"))
}

#[tokio::test]
async fn a_blob_is_put_read_described_and_deleted() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let created = send(
        upload(&run, &token, "orders/2026/a%20b.txt", "hello world")
            .header("x-ms-blob-content-type", "text/plain")
            .header("x-ms-meta-team", "orders"),
    )
    .await;
    assert_eq!(created.status, 201);
    let got = send(run.call("GET", &url("orders/2026/a%20b.txt"), &token)).await;
    assert_eq!((got.status, got.text.as_str(), got.header("content-type")), (200, "hello world", "text/plain"));
    assert_eq!((got.header("etag"), got.header("x-ms-meta-team")), (created.header("etag"), "orders"));
    let part = send(run.call("GET", &url("orders/2026/a%20b.txt"), &token).header("x-ms-range", "bytes=6-99")).await;
    assert_eq!((part.status, part.text.as_str(), part.header("content-range")), (206, "world", "bytes 6-10/11"));
    let head = send(run.call("HEAD", &url("orders/2026/a%20b.txt"), &token)).await;
    assert_eq!((head.status, head.header("content-length"), head.header("x-ms-blob-type")), (200, "11", "BlockBlob"));
    let past = send(run.call("GET", &url("orders/2026/a%20b.txt"), &token).header("x-ms-range", "bytes=11-12")).await;
    assert_eq!(code(&past), (416, "InvalidRange"));
    assert_eq!(send(run.call("DELETE", &url("orders/2026/a%20b.txt"), &token)).await.status, 202);
    let gone = send(run.call("GET", &url("orders/2026/a%20b.txt"), &token)).await;
    assert_eq!(code(&gone), (404, "BlobNotFound"));
    assert!(gone.text.contains("<Error><Code>BlobNotFound</Code><Message>"), "{}", gone.text);
}

#[tokio::test]
async fn conditions_are_kept() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let etag = put(&run, &token, "orders/a", "1").await.header("etag").to_owned();
    let again = send(upload(&run, &token, "orders/a", "2").header("if-none-match", "*")).await;
    assert_eq!(code(&again), (409, "BlobAlreadyExists"));
    let stale = send(upload(&run, &token, "orders/a", "2").header("if-match", "\"0x1\"")).await;
    assert_eq!(code(&stale), (412, "ConditionNotMet"));
    let unchanged = send(run.call("GET", &url("orders/a"), &token).header("if-none-match", &etag)).await;
    assert_eq!(unchanged.status, 304);
    assert_eq!(send(upload(&run, &token, "orders/a", "2").header("if-match", &etag)).await.status, 201);
}

#[tokio::test]
async fn blocks_become_a_blob_when_they_are_committed() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    for (id, text) in [("QUFB", "one "), ("QkJC", "two")] {
        let request = run.call("PUT", &url(&format!("orders/big?comp=block&blockid={id}")), &token);
        assert_eq!(send(request.body(text)).await.status, 201);
    }
    assert_eq!(send(run.call("GET", &url("orders/big"), &token)).await.status, 404);
    let commit = |list: &'static str| send(run.call("PUT", &url("orders/big?comp=blocklist"), &token).body(list));
    let unknown = commit("<BlockList><Latest>Q0ND</Latest></BlockList>").await;
    assert_eq!(code(&unknown), (400, "InvalidBlockList"));
    assert_eq!(code(&commit("<BlockList>").await), (400, "InvalidXmlDocument"));
    assert_eq!(commit("<BlockList><Latest>QUFB</Latest><Latest>QkJC</Latest></BlockList>").await.status, 201);
    assert_eq!(send(run.call("GET", &url("orders/big"), &token)).await.text, "one two");
    let list = send(run.call("GET", &url("orders/big?comp=blocklist&blocklisttype=all"), &token)).await;
    assert!(list.text.contains("<Name>QkJC</Name><Size>3</Size>"), "{}", list.text);
    // A committed block can be kept by a new list.
    assert_eq!(commit("<BlockList><Committed>QkJC</Committed></BlockList>").await.status, 201);
    assert_eq!(send(run.call("GET", &url("orders/big"), &token)).await.text, "two");
}

#[tokio::test]
async fn listings_have_prefixes_folders_and_pages() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    for name in ["a/1", "a/2", "b&c", "d"] {
        put(&run, &token, &format!("orders/{name}"), "x").await;
    }
    let list = |query: &str| {
        let request = run.call("GET", &url(&format!("orders?restype=container&comp=list{query}")), &token);
        async { send(request).await.text }
    };
    let all = list("").await;
    assert!(all.contains("<Name>a/1</Name>") && all.contains("<Name>b&amp;c</Name>"), "{all}");
    let prefixed = list("&prefix=a/").await;
    assert!(prefixed.contains("<Name>a/2</Name>") && !prefixed.contains("<Name>d</Name>"));
    let folders = list("&delimiter=/").await;
    assert!(folders.contains("<BlobPrefix><Name>a/</Name></BlobPrefix>") && !folders.contains("a/1"));
    let first = list("&maxresults=1").await;
    assert!(first.contains("<NextMarker>a/2</NextMarker>"), "{first}");
    let second = list("&maxresults=3&marker=a/2").await;
    assert!(second.contains("<Name>d</Name>") && second.contains("<NextMarker></NextMarker>"), "{second}");
}

#[tokio::test]
async fn containers_come_and_go() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let ask = |method: &str, name: &str| send(run.call(method, &url(&format!("{name}?restype=container")), &token));
    assert_eq!(ask("PUT", "invoices").await.status, 201);
    assert_eq!(code(&ask("PUT", "invoices").await), (409, "ContainerAlreadyExists"));
    assert_eq!(ask("HEAD", "invoices").await.status, 200);
    let list = send(run.call("GET", &url("?comp=list"), &token)).await.text;
    assert!(list.contains("<Name>invoices</Name>") && list.contains("<Name>orders</Name>"));
    assert_eq!(ask("DELETE", "invoices").await.status, 202);
    assert_eq!(code(&ask("GET", "invoices").await), (404, "ContainerNotFound"));
    assert_eq!(code(&ask("PUT", "Bad_Name").await), (400, "InvalidResourceName"));
    assert_eq!(code(&put(&run, &token, "invoices/a", "x").await), (404, "ContainerNotFound"));
}

#[tokio::test]
async fn tokens_and_roles_are_checked() {
    let run = start().await;
    let bare = send(run.laptop.get(url("orders/a")).header("x-ms-version", "2025-01-05")).await;
    assert_eq!(code(&bare), (401, "NoAuthenticationInformation"));
    assert!(bare.header("www-authenticate").contains(&format!("login.microsoftonline.com/{}", world::TENANT_ID)));
    let wrong = put(&run, &run.app_token("https://vault.azure.net").await, "orders/a", "x").await;
    assert_eq!(code(&wrong), (401, "InvalidAuthenticationInfo"));
    let keyed = send(run.laptop.get(url("orders/a")).header("authorization", "SharedKey contosostore:abc")).await;
    assert_eq!(code(&keyed), (403, "KeyBasedAuthenticationNotPermitted"));

    let token = run.newcomer_token(RESOURCE).await;
    let refused = put(&run, &token, "orders/a", "x").await;
    assert_eq!(code(&refused), (403, "AuthorizationPermissionMismatch"));
    assert!(refused.text.contains("'Storage Blob Data Contributor'"), "{}", refused.text);
    run.emulator
        .assign_role(world::NEWCOMER_OBJECT_ID, "Storage Blob Data Reader", world::STORAGE_RESOURCE_ID)
        .expect("assigned");
    assert_eq!(put(&run, &token, "orders/a", "x").await.status, 403);
    let list = run.call("GET", &url("orders?restype=container&comp=list"), &token);
    assert_eq!(send(list).await.status, 200);
}

#[tokio::test]
async fn what_is_not_emulated_says_so() {
    let run = start().await;
    let token = run.app_token(RESOURCE).await;
    let lease = send(run.call("PUT", &url("orders/a?comp=lease"), &token)).await;
    assert!(lease.status == 501 && lease.text.contains("comp=lease"), "{lease:?}");
    let copy = send(run.call("PUT", &url("orders/a"), &token).header("x-ms-copy-source", "https://x.example")).await;
    assert_eq!(copy.status, 501);
    let page = send(run.call("PUT", &url("orders/a"), &token).header("x-ms-blob-type", "PageBlob")).await;
    assert!(page.status == 501 && page.text.contains("PageBlob"));
}

#[tokio::test]
async fn an_upstream_gets_only_what_is_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut buffer = [0; 16_384];
        let read = stream.read(&mut buffer).expect("a request");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-ms-request-id: theirs\r\ncontent-length: 2\r\n\r\nhi")
            .expect("an answer");
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    });
    let config = Config::from_toml(&format!("[blob]\nupstream = \"http://127.0.0.1:{port}\"\n")).expect("valid");
    let run = start_with(config).await;
    let newcomer = run.newcomer_token(RESOURCE).await;
    let refused = send(run.call("GET", &url("orders/a"), &newcomer)).await;
    assert_eq!(code(&refused), (403, "AuthorizationPermissionMismatch"));
    let token = run.app_token(RESOURCE).await;
    let answer = send(run.call("GET", &url("orders/a?x=1"), &token)).await;
    assert_eq!((answer.text.as_str(), answer.header("x-ms-request-id")), ("hi", "theirs"));
    let seen = server.join().expect("served").to_ascii_lowercase();
    assert!(seen.starts_with("get /orders/a?x=1 http/1.1\r\n"), "{seen}");
    assert!(seen.contains("host: contosostore.blob.core.windows.net\r\n"), "{seen}");
    let down = send(run.call("GET", &url("orders/a"), &token)).await;
    assert_eq!(down.status, 502, "the upstream is gone");
}
