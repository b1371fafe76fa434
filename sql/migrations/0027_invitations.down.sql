-- loses: invitations
drop table app.invitations;
