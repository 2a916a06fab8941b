/// The port to patients by what others know them as.
package protocol PatientIdentifiers: Sendable {
    /// The logical id of the one patient with an identifier; nil for none, for several, and for one that was merged into
    /// another.
    func patientID(system: String, value: String) async throws -> String?
}
