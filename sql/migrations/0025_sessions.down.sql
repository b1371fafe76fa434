-- loses: sessions; every login lasts as long as its access token again
drop table app.session_tokens;
drop table app.sessions;
