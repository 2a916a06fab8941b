import Access
import Admission
import Foundation
import Glibc
import HTTPSupport
import Workflow

/// The doors: their ports, their certificates, and who may read along.
extension DoctorCommand {
    func check(_ door: DoorConfiguration, _ server: ServerFolder, isRunning: Bool, _ doctor: inout Doctor) {
        checkPort(door, isRunning: isRunning, &doctor)
        if door.tls != .off { checkCertificate(door, server, &doctor) }
        if door.isClearTextBeyondThisMachine {
            doctor.note(
                "\(door.place): takes clear text at \(door.host):\(door.port); patient data can be read on the network",
                fix: "as soon as those who connect can: tls: required")
        }
        if door.kind == .http, DoorConfiguration.isLoopback(door.host), door.tls == .off, door.proxies.networks.isEmpty,
            door.publicURL != nil
        {
            doctor.note(
                "\(door.place): behind a proxy every caller has the proxy's address, in the audit trail and when counted",
                fix: "name the proxy's address in trusted-proxies")
        }
    }

    private func checkPort(_ door: DoorConfiguration, isRunning: Bool, _ doctor: inout Doctor) {
        if door.port == 0 { return doctor.good("\(door.place) port: chosen at start") }
        do {
            _ = try HeldPort(door.port, host: door.host)
            doctor.good("\(door.place) port: \(door.host):\(door.port) is free")
        } catch {
            if isRunning, error.code == EADDRINUSE {
                doctor.good(
                    "\(door.place) port: \(door.host):\(door.port) is in use, by the running server it seems")
            } else {
                doctor.bad(
                    "\(door.place) port: \(door.host):\(door.port): \(error.text)",
                    fix: "stop what uses it or change \(door.place).host and \(door.place).port")
            }
        }
    }

    private func checkCertificate(_ door: DoorConfiguration, _ server: ServerFolder, _ doctor: inout Doctor) {
        let files = door.certificate.map { server.resolve($0) } ?? server.tlsFolder
        do {
            let now = Int64(Date().timeIntervalSince1970)
            let days = try DoorCertificates(door, server) { now }.daysLeft
            if days < 0 {
                doctor.bad("\(door.place) certificate: has ended", fix: "put a new certificate and key in \(files)")
            } else if days < 30 {
                doctor.bad(
                    "\(door.place) certificate: ends in \(days) days",
                    fix: "put a new certificate and key in \(files); a running server takes them within 30 s")
            } else {
                doctor.good("\(door.place) certificate: fits its key, valid for \(days) more days")
            }
        } catch {
            doctor.bad(
                "\(door.place) certificate: \(error)",
                fix: "put a PEM certificate and its key there; a running server goes on with those it has")
        }
    }

    /// The profiles of senders, and those whom nothing but a name shows.
    func check(
        _ peers: [Peer], _ configuration: ServerConfiguration, _ server: ServerFolder, _ doctor: inout Doctor
    ) {
        if let site = try? ServerComposition.siteProfile(configuration, server) {
            for peer in peers {
                guard let name = peer.profile else { continue }
                doctor.check("profile of \(peer.name)", fix: "correct it; until then its messages are refused") {
                    _ = try PeerProfiles.read(name, server, over: site)
                    return "\(name) reads well"
                }
            }
        }
        let unbound = peers.filter { !PeerBinding.address.isMet(by: $0) && !$0.may.isEmpty }
        guard let first = unbound.first,
            configuration.doors.contains(where: { $0.kind != .http && !DoorConfiguration.isLoopback($0.host) })
        else { return }
        doctor.note(
            "peers: \(unbound.count) are known by their name alone, which anybody can give (\(first.name))",
            fix:
                "bind them by `hilum peer set --network` or `--fingerprint`, then ask for it by `peer-binding` at the doors"
        )
    }
}
