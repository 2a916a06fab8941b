import HL7v2
import NIOCore
import NIOSSL
import Synchronization

/// The connections to one receiver: each carries one message at a time, stays open between messages, and is closed for
/// good after any failure, so that no answer is ever taken for another message's.
///
/// As many are open as messages are sent at a time, which is for the caller to limit.
package final class MLLPSender: Sendable {
    /// Where the receiver is.
    package struct Address: Sendable, Hashable {
        package var host: String
        package var port: Int
        /// SHA-256 of its certificate in hexadecimal, where it is bound to one.
        package var certificateFingerprint: String?
        package init(host: String, port: Int, certificateFingerprint: String? = nil) {
            self.host = host
            self.port = port
            self.certificateFingerprint = certificateFingerprint
        }
    }

    /// How it is dialled.
    package struct Terms: Sendable {
        /// Nil for clear text.
        package var tls: NIOSSLContext?
        /// What the receiver's certificate is for; nil for its host.
        package var serverName: String?
        package var connect: TimeAmount = .seconds(10)
        package var answer: TimeAmount = .seconds(30)
        /// The digest of certificates that fingerprints are of.
        package var fingerprint: @Sendable ([UInt8]) -> String
        package init(fingerprint: @escaping @Sendable ([UInt8]) -> String) { self.fingerprint = fingerprint }
    }

    private struct State {
        var idle: [(address: Address, client: MLLPClient)] = []
        var isClosed = false
    }

    private let terms: Terms
    private let group: any EventLoopGroup
    private let state = Mutex(State())

    package init(_ terms: Terms, group: any EventLoopGroup) {
        self.terms = terms
        self.group = group
    }

    /// Sends a message and waits for its answer. Throws `MLLPClient.Failure`, and what the system says of a connection that
    /// cannot be opened.
    ///
    /// A connection that the receiver has closed while it was idle is replaced once, with the same message.
    package func send(_ message: [UInt8], to address: Address) async throws -> MLLPClient.Answer {
        if let client = take(address) {
            do { return try await send(message, on: client, address) } catch MLLPClient.Failure.connectionClosed {
                try Task.checkCancellation()
            }
        }
        return try await send(message, on: try await connect(address), address)
    }

    private func send(
        _ message: [UInt8], on client: MLLPClient, _ address: Address
    ) async throws -> MLLPClient.Answer {
        do {
            let answer = try await client.send(message, timeout: terms.answer)
            await put(client, address)
            return answer
        } catch {
            await client.close()
            throw error
        }
    }

    private func connect(_ address: Address) async throws -> MLLPClient {
        let (bound, fingerprint) = (address.certificateFingerprint?.lowercased(), terms.fingerprint)
        // A name in a certificate is never an address, and SNI takes no address either. RFC 6066 §3.
        let isAddress = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
        return try await MLLPClient.connect(
            host: address.host, port: address.port, tls: terms.tls,
            serverName: terms.serverName ?? (isAddress ? nil : address.host), group: group, timeout: terms.connect
        ) { certificate in bound.map { $0 == fingerprint(certificate) } ?? true }
    }

    // MARK: Idle connections

    /// One that is open still; those of another address, and those that were closed, go.
    private func take(_ address: Address) -> MLLPClient? {
        let (taken, stale) = state.withLock { state -> (MLLPClient?, [MLLPClient]) in
            let stale = state.idle.filter { $0.address != address || !$0.client.isOpen }.map(\.client)
            state.idle.removeAll { $0.address != address || !$0.client.isOpen }
            return (state.idle.popLast()?.client, stale)
        }
        for client in stale { client.abandon() }
        return taken
    }

    private func put(_ client: MLLPClient, _ address: Address) async {
        let isKept = state.withLock { state in
            guard !state.isClosed, client.isOpen else { return false }
            state.idle.append((address, client))
            return true
        }
        if !isKept { await client.close() }
    }

    /// Closes what is idle, and what is in use once it is answered.
    package func close() async {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle.map(\.client)
        }
        for client in idle { await client.close() }
    }
}
