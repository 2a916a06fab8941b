import DICOMData

/// Whose colours an image's are. PS3.3 §C.11.15.
extension ImageRendering {
    /// The colour profile of a frame, from 1, bytes of ICC.1: the state's where there is one that has one, else the
    /// image's own or that of the frame's optical path; nil for none, and for grey.
    package func iccProfile(number: Int) -> [UInt8]? {
        guard isColour || supplement != nil || state?.palette != nil else { return nil }
        let profile =
            state?.dataSet.bytes(.iccProfile) ?? header.bytes(.iccProfile)
            ?? opticalPath(number)?.bytes(.iccProfile)
        // The header of a profile is 128 bytes.
        return profile.flatMap { $0.count > 128 ? $0 : nil }
    }

    /// Whether a profile says that it is one of RGB: only such a one can stand in a picture of RGB. ICC.1 §7.2.6, §7.2.9.
    package static func isOfRGB(_ profile: [UInt8]) -> Bool {
        profile.count > 128 && profile[16..<20].elementsEqual("RGB ".utf8)
            && profile[36..<40].elementsEqual("acsp".utf8)
    }

    /// The optical path that a frame names, else the first. PS3.3 §C.8.12.5, §C.8.12.6.2.
    private func opticalPath(_ number: Int) -> DataSet? {
        let paths = header.items(.opticalPathSequence)
        guard paths.count > 1,
            let name = attributes.group(.opticalPathIdentificationSequence, frame: number)
                .string(.opticalPathIdentifier)
        else { return paths.first }
        return paths.first { $0.string(.opticalPathIdentifier) == name }
    }
}
