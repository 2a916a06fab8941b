import Access
import ArgumentParser
import FHIRResources
import HL7Translation
import SQLStore
import Workflow

/// `hilum authority …`: the assigning authorities that senders named before the site configured them.
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority",
        abstract: "List unknown assigning authorities, and map what was kept under them to configured ones.",
        subcommands: [List.self, Map.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the authorities that were named and not configured then, with what is to be done.")
        @Argument(help: "The server folder.") var folder: String

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let authorities = try ServerComposition.siteProfile(configuration, server).authorities
            let named = try await StoreComposition.using(configuration, server) { try await $0.unknownAuthorities() }
            let mappings = authorities.mappings(of: named)
            for authority in named {
                let mapping = mappings.first { $0.from == authority.system }
                print(
                    [
                        authority.system, authority.namespace ?? "-", authority.universalID ?? "-",
                        mapping.map { "to be mapped to \($0.to)" } ?? "not configured",
                    ].map(MessageCommand.printable).joined(separator: "\t"))
            }
        }
    }

    struct Map: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give identifiers that were kept under an unknown authority the system configured for it.",
            discussion: """
                Every authority that the site profile names now is mapped: patients, visits, orders, reports and images \
                are found under its system afterwards. Nothing is merged by the way: a record whose number another one \
                has stays as it is and is told, for an A40 or a correction to decide; then run it again. The server must \
                not run.
                """)
        @Argument(help: "The server folder.") var folder: String
        @Flag(name: .customLong("dry-run"), help: "Only tell what would be done.") var isDryRun = false
        @Flag(help: "Print the result as JSON.") var json = false

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            let profile = try ServerComposition.siteProfile(configuration, server)
            let store = try await StoreComposition.open(
                configuration, folder: server, isServer: true, profile: profile)
            var results: [RelationalStore.MappingResult] = []
            do {
                let access = AccessContext.operatorOfThisMachine(requestID: "hilum authority")
                for mapping in profile.authorities.mappings(of: try await store.unknownAuthorities()) {
                    let progress = ProgressLine("records", total: 0)
                    var seen = 0
                    results.append(
                        try await store.map(mapping, isDryRun: isDryRun, access: access) {
                            seen = $0
                            progress.tell(Int64($0), bytes: 0)
                        })
                    progress.end(Int64(seen), bytes: 0)
                }
            } catch {
                await store.close()
                throw error
            }
            await store.close()
            if json { try JSONResult.print(results) } else { tell(results) }
            if results.contains(where: { !$0.contradictions.isEmpty }) { throw ExitCode(1) }
        }

        private func tell(_ results: [RelationalStore.MappingResult]) {
            if results.isEmpty {
                print("nothing to map: configure the authority under identifiers.authorities of the site profile first")
            }
            for result in results {
                for text in result.contradictions {
                    print("LEFT  \(text): decide by an A40 or a correction, then map again")
                }
                print(
                    "\(result.from) to \(result.to): \(result.patients) patients, \(result.visits) visits, "
                        + "\(result.orders) orders, \(result.reports) reports, \(result.series) series"
                        + (isDryRun ? " would be mapped" : " mapped"))
            }
        }
    }
}
