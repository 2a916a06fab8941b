import Access
import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

/// A read by id must never be older than the last acknowledged commit.
@Suite("The cache of resources")
struct ResourceCacheTests {
    static func resource(_ id: String, bytes: Int = 10) -> StoredResource {
        StoredResource(
            type: "Patient", id: id, version: 1, lastUpdated: UTCInstant(microseconds: 0), sequence: 1,
            isDeleted: false, method: .create, bytes: [UInt8](repeating: 0x20, count: bytes))
    }

    static func name(_ id: String) -> ResourceCache.Name { .init(type: "Patient", id: id) }

    @Test("What was read before a commit is not kept after it")
    func epochs() {
        let cache = ResourceCache()
        let before = cache.epoch
        cache.remove([Self.name("a")])
        cache.keep(Self.resource("a"), readAt: before)
        #expect(cache.find(Self.name("a")) == nil)
        cache.keep(Self.resource("a"), readAt: cache.epoch)
        #expect(cache.find(Self.name("a")) != nil)
        #expect(cache.find(.init(type: "Person", id: "a")) == nil)
        cache.remove([Self.name("a")])
        #expect(cache.find(Self.name("a")) == nil)
        cache.keep(Self.resource("a"), readAt: cache.epoch)
        cache.removeAll()
        #expect(cache.find(Self.name("a")) == nil)
    }

    @Test("It knows of whom a resource is, which each read of it tells the audit trail")
    func patients() {
        let cache = ResourceCache()
        var observation = Self.resource("o")
        observation.type = "Observation"
        observation.bytes = Array(
            #"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p1"}}"#.utf8)
        cache.keep(observation, readAt: cache.epoch)
        cache.keep(Self.resource("p2"), readAt: cache.epoch)
        #expect(cache.find(.init(type: "Observation", id: "o"))?.patientID == "p1")
        #expect(cache.find(.init(type: "Observation", id: "o"))?.resource == observation)
        #expect(cache.find(Self.name("p2"))?.patientID == "p2")
    }

    @Test("It holds at most two generations of bytes, and no body above its limit")
    func bounds() {
        let cache = ResourceCache()
        cache.keep(Self.resource("large", bytes: ResourceCache.bodyBytesMax + 1), readAt: cache.epoch)
        #expect(cache.find(Self.name("large")) == nil)
        let count = 3 * ResourceCache.generationBytesMax / ResourceCache.bodyBytesMax
        for number in 0..<count {
            cache.keep(Self.resource("\(number)", bytes: ResourceCache.bodyBytesMax), readAt: cache.epoch)
        }
        let kept = (0..<count).count { cache.find(Self.name("\($0)")) != nil }
        #expect(kept > 0)
        #expect(kept * ResourceCache.bodyBytesMax <= 2 * ResourceCache.generationBytesMax)
        #expect(cache.find(Self.name("\(count - 1)")) != nil)
        #expect(cache.find(Self.name("0")) == nil)
    }

    @Test("Who may see a part of the type is given what was found in the same part, as long as that version is current")
    func parts() {
        let cache = ResourceCache()
        func of(_ patient: String) -> Visibility { .anyOf([VisibilityRule([.compartment(.patient(patient))])]) }
        func found(_ visibility: Visibility) -> Bool { cache.find(Self.name("a"), in: visibility) != nil }
        cache.keep(Self.resource("a"), readAt: cache.epoch)
        #expect(found(.whole) && !found(of("a")) && !found(.nothing))
        cache.keep(Self.resource("a"), readAt: cache.epoch, in: of("a"))
        #expect(found(.whole) && found(of("a")) && !found(of("b")) && !found(.nothing))
        // Read anew by who may see all, it stays found in the part.
        cache.keep(Self.resource("a"), readAt: cache.epoch)
        #expect(found(of("a")))
        var next = Self.resource("a")
        next.version = 2
        cache.remove([Self.name("a")])
        #expect(!found(.whole) && !found(of("a")))
        cache.keep(next, readAt: cache.epoch)
        #expect(found(.whole) && !found(of("a")))
        // Of many parts the latest are known.
        for number in 0...ResourceCache.partsMax { cache.keep(next, readAt: cache.epoch, in: of("\(number)")) }
        #expect(!found(of("0")) && found(of("1")) && found(of("\(ResourceCache.partsMax)")))
    }

    @Test("What a practice, a label or a condition of a search lets through is not kept for it, and no deletion is")
    func judged() {
        let cache = ResourceCache()
        let conditions: [VisibilityRule.Condition] = [
            .search(ScopeConstraint(name: "gender", value: "male")),
            .carriesNone(of: [SecurityLabel(system: "s", code: "R")]),
        ]
        for condition in conditions {
            let visibility = Visibility.anyOf([VisibilityRule([.compartment(.patient("a")), condition])])
            cache.keep(Self.resource("a"), readAt: cache.epoch, in: visibility)
            #expect(cache.find(Self.name("a"), in: visibility) == nil)
            #expect(cache.find(Self.name("a")) == nil)
        }
        let own = Visibility.anyOf([VisibilityRule([.compartment(.patient("a"))])])
        var deletion = Self.resource("a")
        deletion.isDeleted = true
        cache.keep(deletion, readAt: cache.epoch, in: own)
        #expect(cache.find(Self.name("a"), in: own) == nil)
        cache.keep(deletion, readAt: cache.epoch)
        #expect(cache.find(Self.name("a"), in: own) == nil && cache.find(Self.name("a")) != nil)
    }

    @Test("While a resource is written, no read is older than what was acknowledged", arguments: TestDatabases.all)
    func readYourWrites(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { (store) async throws in
            try await ResourceStoreTests.put(store, #"{"resourceType":"Patient","id":"a","gender":"male"}"#)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var last: Int64 = 0
                        while last < 60, !Task.isCancelled {
                            let found = try await store.read("Patient", "a", access: ResourceStoreTests.server)
                            #expect((found?.version ?? 0) >= last)
                            last = found?.version ?? 0
                            // A read from memory does not suspend: the writer needs a thread too.
                            await Task.yield()
                        }
                    }
                }
                for number in 2...60 {
                    try await ResourceStoreTests.put(
                        store,
                        #"{"resourceType":"Patient","id":"a","birthDate":"19\#(number < 10 ? "0" : "")\#(number)"}"#)
                    let found = try await store.read("Patient", "a", access: ResourceStoreTests.server)
                    #expect(found?.version == Int64(number))
                }
                try await group.waitForAll()
            }
            _ = try await store.write(ResourceStoreTests.server) { unit in try unit.deleteResource("Patient", "a") }
            #expect(try await store.read("Patient", "a", access: ResourceStoreTests.server)?.isDeleted == true)
        }
    }

    @Test("What is in memory for one caller is not shown to one who may not see it", arguments: TestDatabases.all)
    func access(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { (store) async throws in
            try await ResourceStoreTests.put(store, #"{"resourceType":"Patient","id":"a","gender":"male"}"#)
            for _ in 0..<2 {
                #expect(try await store.read("Patient", "a", access: ResourceStoreTests.server) != nil)
                let narrow = ResourceStoreTests.access("system/Patient.r?gender=female")
                #expect(try await store.read("Patient", "a", access: narrow) == nil)
                let other = ResourceStoreTests.access("system/Observation.rs")
                #expect(try await store.read("Patient", "a", access: other) == nil)
                let (own, foreign) = (
                    CompartmentTests.access("patient/*.rs", patient: "a"),
                    CompartmentTests.access("patient/*.rs", patient: "b")
                )
                #expect(try await store.read("Patient", "a", access: own)?.version == 1)
                #expect(store.remembered("Patient", "a", access: own) != nil)
                #expect(try await store.read("Patient", "a", access: foreign) == nil)
                for access in [foreign, narrow, other] {
                    #expect(store.remembered("Patient", "a", access: access) == nil)
                }
            }
            // What is somebody else's since is not given from memory.
            let own = CompartmentTests.access("patient/*.rs", patient: "a")
            for (patient, isSeen) in [("a", true), ("b", false)] {
                try await ResourceStoreTests.put(store, CompartmentTests.observation("o", of: patient))
                #expect(try await (store.read("Observation", "o", access: own) != nil) == isSeen)
                #expect((store.remembered("Observation", "o", access: own) != nil) == isSeen)
            }
        }
    }

    @Test("Rows of a rejected instance are not kept from reads before that; they are again once it is restored")
    func instances() {
        let cache = InstanceCache()
        let instance = WorkflowSupport.received("1.1", study: "1", series: "1.0").instance
        func kept() -> Bool {
            cache.keep([instance], readAt: 0)
            return cache.find("1.1", strangers: 0) != nil
        }
        #expect(kept())
        cache.exclude("1.1")
        #expect(cache.find("1.1", strangers: 0) == nil)
        #expect(!kept())
        // Rejected again before the unit that had restored it was told of its commit.
        let restoredAt = cache.exclusions
        cache.exclude("1.1")
        cache.readmit(["1.1"], after: restoredAt)
        #expect(!kept())
        cache.readmit(["1.1"], after: cache.exclusions)
        #expect(kept())
        // What was excluded long ago takes no memory.
        cache.exclude("1.1")
        for number in 1..<InstanceCache.excludedMax { cache.exclude("2.\(number)") }
        #expect(!kept())
        for number in 0..<2 * InstanceCache.excludedMax { cache.exclude("3.\(number)") }
        #expect(kept())
    }
}
