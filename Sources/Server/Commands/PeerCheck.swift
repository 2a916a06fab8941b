import Access
import HL7Translation
import HL7v2
import MLLPAdapter
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Workflow

/// Tries what a peer is to do for this server, from the wire up, and stops where the rest cannot work. Nothing of a
/// patient is sent, and nothing changes at the peer.
struct PeerCheck: Sendable {
    let peer: Peer
    let configuration: ServerConfiguration
    let folder: ServerFolder
    /// Of a connection, a handshake and an answer.
    var patience = TimeAmount.seconds(10)

    init(_ peer: Peer, _ configuration: ServerConfiguration, _ folder: ServerFolder) {
        self.peer = peer
        self.configuration = configuration
        self.folder = folder
    }

    /// Where a peer is, once it was reached.
    struct Reached: Sendable {
        var host: String
        var port: Int
        /// Verifies certificates, but for a peer whose certificate is compared; nil where it is called in clear text.
        var tls: NIOSSLContext?
    }

    /// Address, connection and TLS; nil where the rest cannot work.
    func reach() async -> (findings: [PeerFinding], reached: Reached?) {
        guard let host = peer.host, let port = peer.port else {
            return ([.fail("address", "none is known", fix: "hilum peer set --host HOST --port PORT")], nil)
        }
        do { try await connect(host, port, nil) } catch {
            return (
                [
                    .fail(
                        "connect", "\(host):\(port) does not take a connection: \(Self.words(error))",
                        fix: "see that it listens there, that no firewall is between, and --host and --port")
                ], nil
            )
        }
        var findings = [PeerFinding.ok("connect", "\(host):\(port) takes connections")]
        switch peer.tls {
        case .off: return (findings, Reached(host: host, port: port))
        case .on, .pinned:
            let (finding, tls) = await shakeHands(host, port)
            findings.append(finding)
            return (findings, tls.map { Reached(host: host, port: port, tls: $0) })
        }
    }

    // MARK: TLS

    private func shakeHands(_ host: String, _ port: Int) async -> (PeerFinding, NIOSSLContext?) {
        let shown = Mutex<String?>(nil)
        let any: NIOSSLContext
        let strict: NIOSSLContext
        do {
            let material = try TLSContexts.CallingMaterial(configuration, folder)
            any = try TLSContexts.calling(material, verification: .noHostnameVerification)
            strict = try TLSContexts.calling(material)
        } catch {
            return (.fail("tls", "\(error)", fix: "see hilum doctor"), nil)
        }
        // Whatever it shows, first: to tell of it.
        do {
            try await connect(host, port, any) { certificates in
                let fingerprint = (try? certificates.first?.toDERBytes()).map { Digests.hex($0) }
                shown.withLock { $0 = fingerprint }
            }
        } catch {
            return (
                .fail(
                    "tls", "no TLS could be agreed on: \(Self.words(error))",
                    fix:
                        "see that it speaks TLS 1.2 or 1.3 at this port and takes this server's certificate; or --tls off"
                ),
                nil
            )
        }
        let fingerprint = shown.withLock { $0 } ?? "none"
        if case .pinned(let pinned) = peer.tls {
            guard pinned == fingerprint else {
                return (
                    .fail(
                        "tls", "it shows another certificate than the one that counts: \(fingerprint)",
                        fix:
                            "if it was replaced, and you have that from its operator: hilum peer set --tls \(fingerprint)"
                    ),
                    nil
                )
            }
            return (.ok("tls", "it shows the certificate that counts"), any)
        }
        do { try await connect(host, port, strict) } catch {
            return (
                .fail(
                    "tls", "its certificate \(fingerprint) is not verified for \(host): \(Self.words(error))",
                    fix:
                        "name its authority in client-authorities of a door, see --host, or count this one alone: hilum peer set --tls \(fingerprint)"
                ), nil
            )
        }
        return (.ok("tls", "its certificate \(fingerprint) is verified for \(host)"), strict)
    }

    /// Opens a connection, shakes hands, and closes it. With `seen` every certificate is taken.
    private func connect(
        _ host: String, _ port: Int, _ tls: NIOSSLContext?,
        seen: (@Sendable ([NIOSSLCertificate]) -> Void)? = nil
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: Void.self)
        let name = IPAddress(host) == nil ? host : nil
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(patience)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let tls else { return }
                        let handler =
                            if let seen {
                                try NIOSSLClientHandler(
                                    context: tls, serverHostname: name,
                                    customVerificationCallback: { certificates, promise in
                                        seen(certificates)
                                        promise.succeed(.certificateVerified)
                                    })
                            } else {
                                try NIOSSLClientHandler(context: tls, serverHostname: name)
                            }
                        try channel.pipeline.syncOperations.addHandlers([handler, HandshakeWatch(done)])
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            done.fail(error)
            throw error
        }
        defer { channel.close(promise: nil) }
        if tls == nil { done.succeed() }
        let deadline = loop.scheduleTask(in: patience) { done.fail(ChannelError.connectTimeout(patience)) }
        defer { deadline.cancel() }
        try await done.futureResult.get()
    }

    // MARK: A receiver of messages

    /// Connection, TLS, and a message of application management that asks for nothing and changes nothing: any
    /// acknowledgment of it shows that messages get there. HL7 v2.5.1 §14.3.2.
    func receiver() async -> [PeerFinding] {
        var (findings, reached) = await reach()
        guard let reached else { return findings }
        let destination = (try? ServerComposition.siteProfile(configuration, folder))?.destinations
            .first { $0.peer == peer.name }
        let names = peer.name.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        let id = SystemEntropy().newID().value.prefix(20)
        let seconds = Int(SystemClock().now().microseconds / 1_000_000)
        let now = String(decoding: Timestamp(utcEpochSeconds: seconds).bytes, as: UTF8.self)
        let sender = "\(destination?.sendingApplication ?? "HILUM")|\(destination?.sendingFacility ?? "")"
        let message =
            "MSH|^~\\&|\(sender)|\(names.first ?? "")|\(names.dropFirst().first ?? "")|\(now)||NMD^N02^NMD_N02|\(id)|P|2.5.1\r"
            + "NCK|\(now)\r"
        findings.append(await finding(of: Array(message.utf8), at: reached))
        if destination == nil {
            findings.append(
                .note(
                    "destination", "nothing is sent to it by itself",
                    fix: "name it as `peer` of an entry of `destinations` in \(configuration.siteProfile)"))
        }
        return findings
    }

    private func finding(of message: [UInt8], at reached: Reached) async -> PeerFinding {
        let client: MLLPClient
        do {
            client = try await MLLPClient.connect(
                host: reached.host, port: reached.port, tls: reached.tls,
                serverName: IPAddress(reached.host) == nil ? reached.host : nil,
                group: MultiThreadedEventLoopGroup.singleton, timeout: patience
            ) { [peer] certificate in
                if case .pinned(let fingerprint) = peer.tls { Digests.hex(certificate) == fingerprint } else { true }
            }
        } catch {
            return .fail("message", "no second connection: \(Self.words(error))", fix: "see how many it takes")
        }
        let finding: PeerFinding
        do {
            let answer = try await client.send(message, timeout: patience)
            finding = .ok(
                "message",
                answer.isAccepted
                    ? "a message was acknowledged with \(answer.code)"
                    : "a message was answered with \(answer.code): messages get there, and this kind (NMD^N02) or this sender is not one that it takes"
            )
        } catch MLLPClient.Failure.timedOut {
            finding = .fail(
                "message", "no acknowledgment that names the message in \(patience.nanoseconds / 1_000_000_000) s",
                fix: "see its log; it may not answer senders that it does not know, or not in original mode")
        } catch {
            finding = .fail(
                "message", "it ended the connection instead of an answer",
                fix: "see its log; it may want TLS (--tls), or refuse this address")
        }
        await client.close()
        return finding
    }
}
