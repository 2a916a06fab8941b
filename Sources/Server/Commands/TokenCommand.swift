import ArgumentParser
import Foundation

/// `hilum token DIR`: an access token of the demo's client, for curl.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token of the demo's client, from the server that runs in this folder.")

    @Argument(help: "The folder of the demo's server.") var folder: String

    func run() async throws {
        let server = ServerFolder(folder)
        guard let data = FileManager.default.contents(atPath: server.endpointsFile) else {
            throw ValidationError("no server runs in \(server.path): \(server.endpointsFile) is not there")
        }
        let endpoints = try JSONDecoder().decode(Readiness.Endpoints.self, from: data)
        let client = try DemoClient.load(from: server)
        let key = String(decoding: try ServerFolder.readSecret(DemoClient.keyFile(server)), as: UTF8.self)
        let http = try DemoHTTPClient(base: endpoints.http, authorityFile: server.authorityCertificateFile)
        do {
            let token = try await client.token(from: http, key: key)
            await http.close()
            print(token.text)
        } catch {
            await http.close()
            throw error
        }
    }
}
