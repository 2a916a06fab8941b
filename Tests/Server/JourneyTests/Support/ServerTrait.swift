import Testing

/// Gives a suite a server of its own: started before its first test, ended by SIGTERM after its last.
struct ServerTrait: SuiteTrait, TestScoping {
    /// What a test of the suite talks to.
    struct Context: Sendable {
        let server: HilumServer
        let web: WebClient
        /// Of the client that may do everything.
        let token: String
    }

    @TaskLocal static var current: Context?

    let isTLS: Bool
    /// `limits` of its `hilum.yaml`.
    var limits: [String: Int] = [:]

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let folder = try await ServerFolder.make()
        defer { folder.remove() }
        try folder.set(limits: limits)
        try await folder.serve(isTLS: isTLS) { context in
            try await Self.$current.withValue(context) { try await function() }
        }
    }

    /// The running server of the suite.
    static func context() throws -> Context {
        guard let current else { throw JourneyFailure("this suite has no server: give it the trait .server") }
        return current
    }
}

extension ServerFolder {
    /// Serves the folder while `body` plays.
    func serve<T: Sendable>(
        isTLS: Bool = false, _ body: @Sendable (ServerTrait.Context) async throws -> T
    ) async throws -> T {
        try await HilumServer.run(self, isTLS: isTLS) { server in
            try await WebClient.with(server) { web in
                let token = try await client.token(from: web)
                return try await body(ServerTrait.Context(server: server, web: web, token: token))
            }
        }
    }
}

extension Trait where Self == ServerTrait {
    /// A server without TLS.
    static var server: Self { ServerTrait(isTLS: false) }
    /// A server without TLS and with limits of its own.
    static func server(limits: [String: Int]) -> Self { ServerTrait(isTLS: false, limits: limits) }
    /// A server as it is served by default.
    static var tlsServer: Self { ServerTrait(isTLS: true) }
}
