import Access
import Admission
import Foundation
import HL7Translation
import Logging
import MLLPAdapter
import TestSupport
import Testing
import Workflow

@testable import hilum

/// Whom an MLLP door lets send: by name, address and certificate.
@Suite(.takingTurns) struct SenderGateTests {
    private struct Peers: PeerDirectory {
        let all: [Peer]
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? {
            all.first { $0.kind == kind && $0.name == name }
        }
        func peers() async throws -> [Peer] { all }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
    }
    private struct Trail: AuditTrail {
        func record(_ record: AuditRecord) async throws {}
    }

    private static let certificate: [UInt8] = [1, 2, 3]
    private static let message = Array("MSH|^~\\&|RIS|MAIN|HILUM|H|20260101||ADT^A08|1|P|2.5.1\rPID|||1\r".utf8)

    private static func isLetIn(
        _ peer: Peer, _ binding: PeerBinding, from address: String = "10.0.0.7", certificate: [UInt8]? = nil
    ) async throws -> Bool {
        let gate = SenderGate(
            peers: Peers(all: [peer]), audit: Trail(),
            strangers: CallerThrottle(now: Descriptors.monotonicMicroseconds), acceptsUnknown: false, binding: binding,
            profiles: PeerProfiles(
                SiteProfile(), ServerFolder("/nowhere"),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        switch await gate.verdict(on: message, from: MLLPPeer(address: address, certificate: certificate)) {
        case .letIn: return true
        case .refused(let answer):
            #expect(String(decoding: answer, as: UTF8.self).contains("MSA|AR|1"))
            return false
        case .heldBack: throw CancellationError()
        }
    }

    @Test("A sender comes from where and with what it is bound to, and is bound where a door asks for it")
    func bound() async throws {
        let unbound = Peer(kind: .messageSender, name: "RIS|MAIN")
        var ofNetwork = unbound
        ofNetwork.networks = ["10.0.0.0/24"].compactMap { IPNetwork($0) }
        var ofCertificate = unbound
        ofCertificate.certificateFingerprint = Digests.hex(Self.certificate)
        #expect(try await Self.isLetIn(unbound, .name))
        #expect(try await !Self.isLetIn(unbound, .address))
        #expect(try await !Self.isLetIn(unbound, .certificate))
        #expect(try await Self.isLetIn(ofNetwork, .address))
        #expect(try await Self.isLetIn(ofNetwork, .name, from: "::ffff:10.0.0.8"))
        #expect(try await !Self.isLetIn(ofNetwork, .name, from: "10.0.1.7"))
        #expect(try await !Self.isLetIn(ofNetwork, .certificate))
        #expect(try await Self.isLetIn(ofCertificate, .certificate, certificate: Self.certificate))
        #expect(try await !Self.isLetIn(ofCertificate, .name, certificate: [9]))
        #expect(try await !Self.isLetIn(ofCertificate, .name))
    }

    @Test("A sender whose profile cannot be read is answered as for a passing failure, not by the site's profile")
    func withoutProfile() async throws {
        var peer = Peer(kind: .messageSender, name: "RIS|MAIN")
        peer.profile = "not-there.yaml"
        await #expect(throws: CancellationError.self) { try await Self.isLetIn(peer, .name) }
    }
}
