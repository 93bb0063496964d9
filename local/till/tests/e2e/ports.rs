//! Which ports the shop listens on. Only Linux tells without help which sockets a process has.

#![cfg(target_os = "linux")]

use testing::TestApp;

use crate::operator::TILL;

#[tokio::test]
async fn nothing_listens_but_the_three_ports_that_are_announced() {
    let shop = TestApp::as_process(TILL).await;
    let [_, port, _, stripe, _, aws] = shop.ports();
    let mut announced = [port, stripe, aws].map(|port| port.parse::<u16>().unwrap());
    announced.sort_unstable();
    assert_eq!(listening(shop.pid()), announced);
}

/// The TCP ports that a process listens on: its sockets, looked up in the kernel's tables.
fn listening(pid: u32) -> Vec<u16> {
    const LISTEN: &str = "0A";
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = links.filter_map(|link| std::fs::read_link(link.unwrap().path()).ok());
    let sockets: Vec<String> = links
        .filter_map(|link| {
            let link = link.to_str()?;
            let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let mut ports = Vec::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (address, state, inode) = (fields[1], fields[3], fields[9]);
            if state == LISTEN && sockets.iter().any(|socket| socket == inode) {
                let port = address.rsplit(':').next().unwrap();
                ports.push(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports.sort_unstable();
    ports
}
