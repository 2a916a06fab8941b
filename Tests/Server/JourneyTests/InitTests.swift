import Testing

extension JourneyTests {
    /// A folder that no server has started from yet.
    @Suite struct InitTests {
        @Test("doctor finds nothing wrong with a new folder, and the trail of what was set up has a signed checkpoint")
        func new() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let doctor = try await HilumProgram.run(["doctor", folder.path])
            #expect(doctor.code == 0, "\(doctor.text)")
            #expect(doctor.text.contains("1 checkpoints confirmed"), "\(doctor.text)")
        }
    }
}
