import Access
import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// PS3.7 §D.3.3.7, user identity, as the acceptor.
@Suite(.takingTurns) struct UserIdentityTests {
    private static let verification = [
        (abstractSyntax: UID.verification, transferSyntaxes: [TransferSyntax.implicitVRLittleEndian.uid])
    ]

    /// Knows doe with a passcode or a ticket; type 4 is not understood; type 3 can break.
    private struct Users: UserIdentityVerifying {
        struct Away: Error {}
        func verdict(
            on identity: UserIdentity, requestID: String, sourceAddress: String?
        ) async throws -> UserIdentityVerdict {
            switch (identity.kind, String(decoding: identity.primary, as: UTF8.self)) {
            case (1, "doe"): .verified(nil, answer: [])
            case (2, "doe"): identity.secondary == Array("secret".utf8) ? .verified(nil, answer: []) : .refused
            case (3, "ticket"): .verified(nil, answer: [7, 8])
            case (3, "away"): throw Away()
            case (4, _): .notUnderstood
            default: .refused
            }
        }
    }

    /// One token, of a client that may read one patient.
    private struct Tokens: TokenVerifying {
        func accessContext(
            bearerToken: String, requestID: String, sourceAddress: String?
        ) async throws -> AccessContext? {
            guard bearerToken == "a.b.c" else { return nil }
            return AccessContext(
                principal: Principal(kind: .client, id: "app"), scopes: [], requestID: requestID,
                sourceAddress: sourceAddress)
        }
    }

    /// Serves nothing, and tells of the end of associations.
    private struct EndsSCP: ServiceClassProvider {
        let abstractSyntaxes: [String: SupportedAbstractSyntax] = [:]
        let role = Peer.Role.echo
        let ends: @Sendable () -> Void
        init(_ ends: @escaping @Sendable () -> Void) { self.ends = ends }
        func begin(_ request: DIMSERequest) -> any ServiceOperation { FixedAnswer(status: .unrecognizedOperation) }
        func associationEnds(_ association: AssociationInfo) async { ends() }
    }

    private func opened(
        _ test: TestListener, _ credential: ProposedIdentity.Credential?, mustBeConfirmed: Bool = false
    ) async throws -> [UInt8]? {
        var destination = test.destination
        destination.identity = credential.map { ProposedIdentity($0, mustBeConfirmed: mustBeConfirmed) }
        let association = try await SCUAssociation.open(destination, contexts: Self.verification)
        let response = association.negotiated.userIdentityResponse
        try await association.release()
        return response
    }

    @Test("A user is verified, answered only where it asks, and refused 1/1/1 with bad credentials")
    func verified() async throws {
        let saml = ProposedIdentity.Credential.samlAssertion { [1] }
        let (ended, ends) = AsyncStream.makeStream(of: Void.self)
        try await TestListener.run(
            services: [VerificationSCP(), EndsSCP { ends.yield() }], configure: { $0.identities = Users() }
        ) { test async throws in
            for good in [
                ProposedIdentity.Credential.userName("doe"), .userNameAndPasscode("doe", passcode: "secret"),
            ] {
                #expect(try await opened(test, good) == nil)
                #expect(try await opened(test, good, mustBeConfirmed: true) == [])
            }
            let ticket = ProposedIdentity.Credential.kerberosTicket { Array("ticket".utf8) }
            #expect(try await opened(test, ticket, mustBeConfirmed: true) == [7, 8])
            for bad in [
                ProposedIdentity.Credential.userName("roe"), .userNameAndPasscode("doe", passcode: "guess"),
                .jsonWebToken { "x" },
            ] {
                await #expect(throws: SCUError.rejected(.noReason)) { try await opened(test, bad) }
                // Its place was given back before it was told.
                #expect(test.listener.associations == 0)
            }
            // A type that is not understood is passed over, and so not confirmed.
            #expect(try await opened(test, saml) == nil)
            await #expect(throws: SCUError.identityNotConfirmed) {
                try await opened(test, saml, mustBeConfirmed: true)
            }
            #expect(try await opened(test, nil) == nil)
            let away = ProposedIdentity.Credential.kerberosTicket { Array("away".utf8) }
            await #expect(throws: SCUError.rejected(.temporaryCongestion)) { try await opened(test, away) }
            // None holds a place, neither those of the eight that were accepted nor those that were not; every refusal is
            // on record.
            #expect(test.audit.records.count { $0.detail == "1/1/1" } == 3)
            for await _ in ended.prefix(8) {}
            #expect(test.listener.associations == 0)
        }
        try await TestListener.run(
            configure: {
                $0.identities = Users()
                $0.requiresIdentity = true
            }
        ) { test in
            let answer = try await opened(test, .userName("doe"))
            #expect(answer == nil)
            for none in [nil, saml] {
                await #expect(throws: SCUError.rejected(.noReason)) { try await opened(test, none) }
            }
        }
        // Who does not look at identities takes them all.
        try await TestListener.run { test in
            let answer = try await opened(test, .userName("roe"))
            #expect(answer == nil)
        }
    }

    @Test("A JSON Web Token of this server gives the association the rights of its holder; another is refused")
    func token() async throws {
        let seen = Mutex<[AccessContext]>([])
        let scp = ReceivingSCP { request in
            seen.withLock { $0.append(request.association.access) }
            return .success
        }
        try await TestListener.run(
            services: [scp], configure: { $0.identities = AccessTokenIdentity(tokens: Tokens()) }
        ) { test in
            let syntax = TransferSyntax.explicitVRLittleEndian.uid
            for identity in [nil, ProposedIdentity(.jsonWebToken { "a.b.c" }, mustBeConfirmed: true)] {
                var destination = test.destination
                destination.identity = identity
                let association = try await SCUAssociation.open(
                    destination, contexts: [(UID.ctImageStorage, [syntax])])
                _ = try await association.store(
                    sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3", transferSyntax: syntax,
                    dataSet: ByteBuffer(bytes: [1, 2]))
                try await association.release()
            }
            for bad in [
                ProposedIdentity.Credential.jsonWebToken { "c.b.a" },
                .jsonWebToken { String(repeating: "x", count: 9_000) },
            ] {
                await #expect(throws: SCUError.rejected(.noReason)) { try await opened(test, bad) }
            }
        }
        let all = seen.withLock { $0 }
        #expect(all.map(\.principal.id) == ["CT1", "app"] && all.map(\.isUnrestricted) == [true, false])
    }
}
