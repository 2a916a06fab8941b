import DICOMData

/// Which form all pixel data of an instance is sent in, asked for by itself or as a part of its study or series.
/// PS3.18 §10.4.1.1.6, §10.4.3.3.6.
extension DICOMwebMediaType {
    enum PixelDataForm: Sendable, Hashable {
        /// One stream, as it is stored.
        case video(contentType: String, isMultipart: Bool)
        /// Native pixels, which are one value however many frames there are, in little endian.
        case value(isMultipart: Bool)
        /// Each frame, as it is stored or transcoded.
        case frames(FrameForm)
    }

    /// What pixel data can be sent as, the most wanted first; none where nothing acceptable can be made.
    ///
    /// - Parameters:
    ///   - isEncapsulated: whether it stands in fragments.
    ///   - frames: how many there are; 2 or more where parts are all that is sent.
    ///   - canMake: as of ``frameForms(_:stored:frames:canMake:)``.
    static func pixelDataForms(
        _ wishes: [Wish], stored: TransferSyntax, isEncapsulated: Bool, frames: Int,
        canMake: (TransferSyntax) -> Bool
    ) -> [PixelDataForm] {
        if let type = videoForm(wishes, stored: stored) {
            return [.video(contentType: type.contentType, isMultipart: type.isMultipart)]
        }
        return wishes.compactMap { wish in
            if !isEncapsulated, let form = frameForm([wish], stored: stored, frames: 1), form.transcoded == nil {
                return .value(isMultipart: wish.isMultipart)
            }
            return frameForms([wish], stored: stored, frames: frames, canMake: canMake).first.map { .frames($0) }
        }
    }
}
