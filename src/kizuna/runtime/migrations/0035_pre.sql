-- Whose number it is that somebody writes from, however it was written down: by its last digits.

CREATE INDEX profile_phone_end ON profile
    (workspace, right(regexp_replace(normalize(left(traits ->> 'phone', 64), NFKC), '[^0-9]', '', 'g'), 7), id)
    WHERE traits ? 'phone';
