package app.mantel.analytics.web;

import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.enums.SecuritySchemeType;
import io.swagger.v3.oas.annotations.info.Info;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.security.SecurityScheme;

/** The words that every report shares, as openapi.json gives them to a reader. */
@OpenAPIDefinition(
    info =
        @Info(
            title = "Mantel analytics",
            version = "1",
            description =
                """
                What a household watches, stores and looks for. The daemon listens on 127.0.0.1 \
                and speaks to the appliance alone; every route but /health wants the bearer token.

                **Event.** What the appliance tells, once each: an event is known by its id, a \
                repeat changes nothing, a higher version replaces. What is older than 400 days is \
                not taken.

                **Person and viewer.** A person is who was signed in. An anonymous person has a \
                pseudonym a day. A viewer is the person or, where nobody was signed in, the device.

                **Day.** The household's calendar day (MANTEL_TIMEZONE), 23 to 25 hours long. A \
                session or visit belongs to the day, and to the moment, at which it began.

                **Range.** `7d` and `4w` are calendar days, today included: `1d` is today. `24h` \
                counts back from now. 400 days at most.

                **Session.** All byte spans, player pings and cast positions of one viewer and \
                one file; a pause of more than 30 minutes begins the next session.

                **Stream.** A session in which at least one byte was sent.

                **Watch time.** Seconds of the medium that a session watched, what was seen again \
                included, rounded to a whole second a session. A player's pings count before cast \
                positions, and those before byte spans: a lower sign within a minute of a higher \
                one is not looked at. Between two positions the medium was watched if it moved no \
                faster than the clock (× 1.25 + 2 s); at a jump 10 s at most are taken. Bytes \
                become time by the file's keyframe index, else by a straight line ("estimated"), \
                limited to the time that passed × 1.25 + 30 s; bytes read twice count once, less \
                than a second and looks at a file's end not at all. Photos and documents have none.

                **Play.** A session that watched at least 5 % of the file, which is at least 30 s \
                and at most 120 s, but never more than half the file. More than 10 minutes of \
                medium at more than 4 times its speed is a copy and no play.

                **Download.** A file that was taken as an attachment and whose last byte has left. \
                It is never a stream or a play. One that broke off is a byte span like any other.

                **Visit.** Everything one person does; a pause of more than 30 minutes begins the \
                next visit. It lasts from its first event to its last, in whole seconds.

                **Median.** The middle value of the sorted ones, or the mean of the two middle \
                ones; 0 of none.

                **Fault.** Anything but 2xx is application/problem+json (RFC 9457) with a stable \
                type; a parameter that will not do is 400 and named in field.
                """),
    security = @SecurityRequirement(name = "bearer"))
@SecurityScheme(name = "bearer", type = SecuritySchemeType.HTTP, scheme = "bearer")
final class Definitions {
  private Definitions() {}
}
